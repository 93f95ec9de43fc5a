"""Reading the archive in the order of a partition: blocks by their offsets, each record once, however blocks overlap."""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass

from antiphon.mongo import Collection
from rules.adapters.history.archive import store_errors
from rules.adapters.history.blocks import Raw, unpack

_FETCHED = 4
"""Blocks fetched at once, for each lane of each topic that is read: at most 4 MB each before compression."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A block, without its records."""

    block_id: str
    lane: str
    last: int
    count: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the archive: what a brand received from `since` up to, without, `until` (unix seconds)."""

    brand: str
    since: float
    until: float


async def list_blocks(
    collection: Collection, stretch: Stretch, topic: str, lane: str | None = None, after: int = -1
) -> Sequence[Listed]:
    """Return the blocks that may hold records of the stretch, by lane in the order of their first offsets."""
    query = {
        "brand": stretch.brand,
        "topic": topic,
        **({"lane": lane} if lane is not None else {}),
        "last": {"$gt": after},
        "until_time": {"$gte": stretch.since},
        "from_time": {"$lt": stretch.until},
    }
    with store_errors():
        found = await collection.find(query, {"lane": 1, "first": 1, "last": 1, "count": 1}).to_list(None)
    found.sort(key=lambda block: (block["lane"], block["first"], block["last"]))
    return [Listed(block["_id"], block["lane"], block["last"], block["count"]) for block in found]


class LaneReader:
    """The records of one topic in one lane."""

    def __init__(self, collection: Collection, stretch: Stretch, topic: str, lane: str, blocks: Sequence[Listed]) -> None:
        self._collection, self._stretch, self._topic, self._lane = collection, stretch, topic, lane
        self._blocks = deque(blocks)
        self._fetched: deque[list[Raw]] = deque()
        self._seen = -1

    async def next(self) -> list[Raw] | None:
        """Return the next records, all of them new; None at the end. Raises Transient, ValueError for a damaged block."""
        while self._fetched or self._blocks:
            if not self._fetched:
                await self._fetch()
                continue
            records = [record for record in self._fetched.popleft() if record.offset > self._seen]
            if records:
                self._seen = records[-1].offset
                return records
        return None

    async def _fetch(self) -> None:
        wanted = [self._blocks.popleft() for _ in range(min(_FETCHED, len(self._blocks)))]
        with store_errors():
            found = await self._collection.find({"_id": {"$in": [b.block_id for b in wanted]}}, {"records": 1}).to_list(None)
        by_id = {block["_id"]: block["records"] for block in found}
        for place, block in enumerate(wanted):
            if block.block_id not in by_id:
                # Packed into a larger one, or expired: what is left of the lane is listed anew.
                after = max([self._seen, *(earlier.last for earlier in wanted[:place])])
                self._blocks = deque(await list_blocks(self._collection, self._stretch, self._topic, self._lane, after))
                return
            self._fetched.append(unpack(by_id[block.block_id]))


async def readers(collection: Collection, stretch: Stretch, topic: str) -> tuple[dict[str, LaneReader], int]:
    """Return a reader for each lane of a topic, and how many records there are at most."""
    lanes: defaultdict[str, list[Listed]] = defaultdict(list)
    for block in await list_blocks(collection, stretch, topic):
        lanes[block.lane].append(block)
    total = sum(block.count for blocks in lanes.values() for block in blocks)
    return {lane: LaneReader(collection, stretch, topic, lane, blocks) for lane, blocks in sorted(lanes.items())}, total

"""Small blocks of the archive become large ones: a brand with an event a second leaves a block a second behind."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from typing import Final

from antiphon.clock import Clock
from antiphon.errors import Transient
from antiphon.mongo import Database, Document, insert_new
from rules.adapters.history.archive import COLLECTION, MAX_BYTES, MAX_RECORDS, block_document, items_of, store_errors
from rules.adapters.history.blocks import Raw, unpack

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 60.0
"""Between two rounds."""

SETTLED_SECONDS: Final = 120.0
"""Age at which a block is packed: by then redeliveries and followers of decisions have passed it."""

SPAN_SECONDS: Final = 3600.0
"""Receipts in one packed block: all of them are removed with the oldest, so nobody's words stay longer than they may."""

_SMALL: Final = MAX_RECORDS // 5
"""Records below which a block is worth packing."""

_FEWEST: Final = 8
"""Blocks that are packed together at least: each record is then rewritten a few times at most."""

_PLACE: Final = ("brand", "topic", "lane")

_LISTED: Final = 20_000
"""Blocks looked at in a round; the next takes the next."""


class Packer:
    """Packs blocks of one brand, topic and lane that follow each other.

    Two packers at once, or a death in between, do no harm: the large block is there before the small ones go, and readers skip
    what they have read.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._collection = database[COLLECTION]
        self._clock = clock

    async def run(self) -> None:
        """Pack every minute until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                packed = await self.round()
            except Transient as error:
                log.warning("the archive is packed later: %s", error)
            else:
                log.info("archive packed", extra={"count": packed})

    async def round(self) -> int:
        """Pack what there is; return how many blocks are gone. Raises Transient."""
        now = self._clock.now().timestamp()
        query = {"stored": {"$lt": now - SETTLED_SECONDS, "$gte": now - 2 * SPAN_SECONDS}}
        fields = {"brand": 1, "topic": 1, "lane": 1, "first": 1, "last": 1, "count": 1, "from_time": 1, "until_time": 1}
        with store_errors():
            settled = await self._collection.find(query, fields).limit(_LISTED).to_list(None)
        return sum([await self._pack(run) for run in _runs(settled)])

    async def _pack(self, run: Sequence[Document]) -> int:
        ids = [block["_id"] for block in run]
        with store_errors():
            found = await self._collection.find({"_id": {"$in": ids}}).to_list(None)
            if len(found) < len(ids) or await self._collection.find_one(_between(run), {"_id": 1}):
                return 0  # another packer was here, or what lies between the blocks is not all in hand
            found.sort(key=lambda block: (block["first"], block["last"]))
            large = _packed(found)
            if large is None:
                return 0
            await insert_new(self._collection, [large])
            await self._collection.delete_many({"_id": {"$in": [name for name in ids if name != large["_id"]]}})
        return len(ids)


def _between(run: Sequence[Document]) -> Document:
    """Return what finds other blocks with offsets among those of the run: without them a large one would hide their records."""
    return {
        **{field: run[0][field] for field in _PLACE},
        "first": {"$lte": max(block["last"] for block in run)},
        "last": {"$gte": run[0]["first"]},
        "_id": {"$nin": [block["_id"] for block in run]},
    }


def _runs(blocks: Sequence[Document]) -> Iterator[list[Document]]:
    """Yield blocks that may become one: small, in one place, one after the other, received within the span."""
    run: list[Document] = []
    for block in sorted(blocks, key=lambda b: (b["brand"], b["topic"], b["lane"], b["first"], b["last"])):
        if run and not _fits(run, block):
            if len(run) >= _FEWEST:
                yield run
            run = []
        if block["count"] < _SMALL:
            run.append(block)
    if len(run) >= _FEWEST:
        yield run


def _fits(run: Sequence[Document], block: Document) -> bool:
    return (
        block["count"] < _SMALL
        and all(block[field] == run[0][field] for field in _PLACE)
        and sum(earlier["count"] for earlier in run) + block["count"] <= MAX_RECORDS
        and block["until_time"] - min(earlier["from_time"] for earlier in run) <= SPAN_SECONDS
    )


def _packed(blocks: Sequence[Document]) -> Document | None:
    """Return one block of many, None when it would be too large or empty; what several of them hold is in it once."""
    records: list[Raw] = []
    for block in blocks:
        seen = records[-1].offset if records else -1
        records += [record for record in unpack(block["records"]) if record.offset > seen]
    if not records or sum(len(record.key) + len(record.value) for record in records) > MAX_BYTES:
        return None
    first, last = min(block["first"] for block in blocks), max(block["last"] for block in blocks)
    place = blocks[0]
    whole = block_document(items_of(place, records), place["lane"])
    return {
        **whole,
        "_id": f"{place['brand']}/{place['topic']}/{place['lane']}/{first}-{last}",
        "first": first,
        "last": last,
        "stored": max(block["stored"] for block in blocks),
        "expires": min(block["expires"] for block in blocks),
    }

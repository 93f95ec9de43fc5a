"""Texts that resemble one another, by MinHash and locality-sensitive hashing: in memory, a campaign at a time."""

from collections import OrderedDict
from collections.abc import Sequence

from datasketch import MinHash, MinHashLSH
from typing_extensions import override

from publisher.domain.entries.model import Capture
from publisher.domain.entries.texts import normalised, shingles
from publisher.entry_ports import Lookalikes

_PERMUTATIONS = 64
"""Hashes of a text. What is found is compared exactly afterwards, so they need only find: of two texts that share 80 % of
their shingles, 64 miss one pair in ten thousand; twice as many cost twice the memory, five kilobytes a text."""

_THRESHOLD = 0.6
"""Share of shingles from which a pair should be found; well below that from which it is flagged."""

MOST = 20_000
"""Texts of a campaign that are kept, the newest: about a hundred megabytes. Copies come soon after what they copy."""


class _Texts:
    """The texts of one campaign."""

    def __init__(self) -> None:
        self.index = MinHashLSH(threshold=_THRESHOLD, num_perm=_PERMUTATIONS)
        self.kept: OrderedDict[str, Capture] = OrderedDict()


class MinHashLookalikes(Lookalikes):
    """One index a campaign."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._campaigns: dict[tuple[str, str], _Texts] = {}

    @override
    def add(self, capture: Capture) -> None:
        texts = self._campaigns.setdefault((capture.brand, capture.campaign), _Texts())
        sketch = _sketch(capture)
        if sketch is None or capture.entry_id in texts.kept:
            return
        texts.index.insert(capture.entry_id, sketch)
        texts.kept[capture.entry_id] = capture
        if len(texts.kept) > self._most:
            oldest, _ = texts.kept.popitem(last=False)
            texts.index.remove(oldest)

    @override
    def candidates(self, capture: Capture) -> Sequence[Capture]:
        texts = self._campaigns.get((capture.brand, capture.campaign))
        sketch = _sketch(capture) if texts else None
        if texts is None or sketch is None:
            return []
        return [texts.kept[name] for name in texts.index.query(sketch)]


def _sketch(capture: Capture) -> MinHash | None:
    parts = shingles(normalised(capture.text))
    if not parts:
        return None
    sketch = MinHash(num_perm=_PERMUTATIONS)
    sketch.update_batch([part.encode() for part in parts])
    return sketch

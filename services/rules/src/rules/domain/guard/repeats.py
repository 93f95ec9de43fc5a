"""Which decisions were counted already: a process that decides again after a crash repeats what it had decided."""

from collections import OrderedDict
from collections.abc import Iterable
from hashlib import blake2b

KEPT = 4_096
"""Events a partition: the engine repeats at most what it decides between two commits, half a second and a batch of 1,000."""


class Repeats:
    """The last events of one partition, each (64 bits of a hash of its id) with the offset at which it first came."""

    def __init__(self, known: Iterable[tuple[int, int]] = ()) -> None:
        self._first: OrderedDict[int, int] = OrderedDict(known)

    def is_new(self, event_id: str, offset: int) -> bool:
        """Take note of a record; tell whether it is the first of its event. The same record again is as new as it was."""
        first = self._first.setdefault(int.from_bytes(blake2b(event_id.encode(), digest_size=8).digest()), offset)
        if len(self._first) > KEPT:
            self._first.popitem(last=False)
        return first == offset

    def items(self) -> list[tuple[int, int]]:
        """Return what is remembered, the oldest first."""
        return list(self._first.items())

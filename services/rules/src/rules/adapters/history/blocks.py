"""Blocks of the archive: records as they were read, one after the other, compressed. No contract class is needed to read one.

A record in a block is its offset (8 bytes), the lengths of key and value (4 bytes each), key, value; big-endian.
"""

import struct
import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

_HEAD = struct.Struct(">QII")

_LEVEL = 6
"""Twice the time of level 1 for four fifths of the size; a block is written once and kept for months."""


class Raw(NamedTuple):
    """One record as it was read."""

    offset: int
    key: bytes
    value: bytes


def pack(records: Sequence[Raw]) -> bytes:
    """Return the block that holds the records, in their order."""
    parts: list[bytes] = []
    for offset, key, value in records:
        parts += (_HEAD.pack(offset, len(key), len(value)), key, value)
    return zlib.compress(b"".join(parts), _LEVEL)


def unpack(block: bytes) -> list[Raw]:
    """Return the records of a block. Raises ValueError for bytes that are none."""
    try:
        data = zlib.decompress(block)
        records: list[Raw] = []
        place, end, head = 0, len(data), _HEAD.size
        add, make, unpack_head = records.append, tuple.__new__, _HEAD.unpack_from  # this loop is a tenth of a back-test
        while place < end:
            offset, key_size, value_size = unpack_head(data, place)
            key_end = place + head + key_size
            place, start = key_end + value_size, place + head
            add(make(Raw, (offset, data[start:key_end], data[key_end:place])))
    except (zlib.error, struct.error) as error:
        raise ValueError(f"not a block of the archive: {error}") from error
    if place != end:
        raise ValueError("not a block of the archive: its last record is cut off")
    return records


def without(records: Sequence[Raw], is_theirs: Callable[[Raw], bool]) -> list[Raw]:
    """Return the records that are not `is_theirs`, for a person who asked to be forgotten."""
    return [record for record in records if not is_theirs(record)]

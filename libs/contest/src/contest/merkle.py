"""The tree over the entries: RFC 6962's Merkle tree hash (section 2.1) with SHA-256, leaves in the order of the entries' ids."""

import hashlib
from collections.abc import Iterable, Sequence

_LEAF, _NODE = b"\0", b"\1"
"""RFC 6962: a leaf can never pass for a node, nor a node for a leaf."""

Levels = Sequence[Sequence[bytes]]
"""Hashes from the leaves up to the root; a node without a neighbour stands unchanged in the next level."""


def leaf(entry: str) -> bytes:
    """Return the hash of an entry's id."""
    return hashlib.sha256(_LEAF + entry.encode()).digest()


def levels(entries: Iterable[str]) -> Levels:
    """Return the whole tree; its last level is the root alone."""
    level = [leaf(entry) for entry in entries] or [hashlib.sha256().digest()]
    found = [level]
    while len(level) > 1:
        level = _above(level)
        found.append(level)
    return found


def root(entries: Iterable[str]) -> bytes:
    """Return the root over entries that stand in order; that of none is the hash of nothing."""
    return levels(entries)[-1][0]


def root_of_entries(entries: Iterable[str]) -> str:
    """Return the root, in hex, of entries in any order: what can be published at the close, before the draw."""
    return root(sorted(entries)).hex()


def path(tree: Levels, index: int) -> list[bytes]:
    """Return the neighbours that lead from the leaf at `index` to the root."""
    found = []
    for level in tree[:-1]:
        if index ^ 1 < len(level):
            found.append(level[index ^ 1])
        index //= 2
    return found


def climb(entry: str, index: int, count: int, neighbours: Sequence[bytes]) -> bytes | None:
    """Return the root that a path leads to, or None where there is no such leaf or the path is not as long as it is deep."""
    if not index < count:
        return None
    node, width, waiting = leaf(entry), count, list(neighbours)
    while width > 1:
        if index ^ 1 < width:
            if not waiting:
                return None
            other = waiting.pop(0)
            node = _join(other, node) if index % 2 else _join(node, other)
        index, width = index // 2, (width + 1) // 2
    return None if waiting else node


def _above(level: Sequence[bytes]) -> list[bytes]:
    paired = [_join(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
    return paired + list(level[-1:]) if len(level) % 2 else paired


def _join(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()

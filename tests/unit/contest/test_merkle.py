"""The tree is RFC 6962's: written here a second time as the RFC defines it, and compared."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contest.merkle import climb, levels, path, root, root_of_entries

ids = st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8), unique=True, max_size=70)


def of_the_rfc(leaves: list[bytes]) -> bytes:
    """MTH of section 2.1: split at the largest power of two below the number of leaves."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + of_the_rfc(leaves[:split]) + of_the_rfc(leaves[split:])).digest()


@given(ids)
def test_the_root_is_that_of_the_rfc(entries: list[str]) -> None:
    assert root(entries) == of_the_rfc([entry.encode() for entry in entries])


LEAVES = ["", "\0", "\x10", "\x20\x21", "\x30\x31", "@ABC", "PQRSTUVW", "`abcdefghijklmno"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""The roots over the first 0 to 8 leaves that implementations of Certificate Transparency check themselves against."""


@pytest.mark.parametrize("count", range(len(ROOTS)))
def test_known_roots(count: int) -> None:
    assert root(LEAVES[:count]).hex() == ROOTS[count]


@given(ids.filter(bool), st.data())
def test_every_leaf_climbs_to_the_root_and_from_its_own_place_alone(entries: list[str], data: st.DataObject) -> None:
    tree, count = levels(entries), len(entries)
    index = data.draw(st.integers(0, count - 1))
    neighbours = path(tree, index)
    assert climb(entries[index], index, count, neighbours) == tree[-1][0]
    assert climb(entries[index] + "x", index, count, neighbours) != tree[-1][0]
    assert climb(entries[index], index, count, [*neighbours, bytes(32)]) is None
    if neighbours:
        assert climb(entries[index], index, count, neighbours[:-1]) is None
    for other in set(range(count + 2)) - {index}:
        assert climb(entries[index], other, count, neighbours) != tree[-1][0]


def test_a_node_cannot_pass_for_an_entry() -> None:
    """Without the domains of leaves and nodes, the two leaves' hashes joined would be an entry with the same root."""
    left, right = (hashlib.sha256(b"\0" + entry).digest() for entry in (b"a", b"b"))
    assert hashlib.sha256(b"\0" + left + right).digest() != root(["a", "b"])


def test_the_root_published_at_the_close_needs_no_order() -> None:
    assert root_of_entries(["b", "c", "a"]) == root_of_entries(["a", "b", "c"]) == root(["a", "b", "c"]).hex()

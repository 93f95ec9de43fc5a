"""Trees of replies and shares: exact against a plain recomputation, whatever the order, the repeats and the deletions."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.domain.cascade import Cascade, Shape

ROOT = 0
Step = tuple[str, int, int]


def plain(steps: list[Step]) -> Shape:
    """The shape by definition: all pairs, each distance by its path over the root's side."""
    parents: dict[int, int] = {}
    for kind, node, parent in steps:
        if kind == "add" and node != ROOT:
            parents.setdefault(node, parent)
    deleted = {node for kind, node, _ in steps if kind == "delete"}
    paths = {node: path for node in [ROOT, *parents] if (path := way(node, parents))}
    live = [node for node in paths if node not in deleted]
    seen = [node for node in [ROOT, *parents] if node not in deleted]
    levels = [len(paths[node]) - 1 for node in live]
    distances = [apart(paths[one], paths[other]) for one, other in combinations(live, 2)]
    return Shape(
        size=len(live),
        depth=max(levels, default=0),
        breadth=max((levels.count(level) for level in levels), default=0),
        virality=sum(distances) / len(distances) if distances else None,
        waiting=len(seen) - len(live),
    )


def way(node: int, parents: dict[int, int]) -> list[int]:
    """From the root down to the node; empty when it does not hang on the root."""
    path = [node]
    while path[-1] != ROOT:
        above = parents.get(path[-1])
        if above is None or above in path:
            return []
        path.append(above)
    return path[::-1]


def apart(one: list[int], other: list[int]) -> int:
    common = sum(a == b for a, b in zip(one, other, strict=False))
    return len(one) + len(other) - 2 * common


def incremental(steps: list[Step]) -> Shape:
    cascade = Cascade(ROOT)
    for kind, node, parent in steps:
        if kind == "add":
            cascade.add(node, parent)
        else:
            cascade.delete(node)
    return cascade.shape()


@st.composite
def histories(draw: st.DrawFn) -> list[Step]:
    """Trees with missing parents and circles, some nodes deleted, everything repeated and shuffled."""
    count = draw(st.integers(0, 24))
    parents = {node: draw(st.integers(0, count + 2)) for node in range(1, count + 1)}
    steps: list[Step] = [("add", node, parent) for node, parent in parents.items()]
    steps += [("delete", node, 0) for node in draw(st.lists(st.integers(0, count + 1), max_size=8))]
    steps += draw(st.lists(st.sampled_from(steps), max_size=10)) if steps else []
    return draw(st.permutations(steps))


@given(histories())
def test_it_equals_the_definition_after_every_step(steps: list[Step]) -> None:
    for end in range(len(steps) + 1):
        found, right = incremental(steps[:end]), plain(steps[:end])
        assert (found.size, found.depth, found.breadth, found.waiting) == (right.size, right.depth, right.breadth, right.waiting)
        assert found.virality == pytest.approx(right.virality)


@pytest.mark.parametrize(
    ("steps", "virality"),
    [
        ([("add", node, ROOT) for node in range(1, 10)], 2 - 2 / 10),  # a star of n: 2 - 2/n
        ([("add", node, node - 1) for node in range(1, 10)], 11 / 3),  # a chain of n: (n + 1) / 3
    ],
)
def test_closed_forms(steps: list[Step], virality: float) -> None:
    shape = incremental(steps)
    assert shape.size == 10
    assert shape.virality == pytest.approx(virality)


def test_a_ghost_connects_and_does_not_count() -> None:
    chain: list[Step] = [("add", 1, ROOT), ("add", 2, 1)]
    assert incremental([*chain, ("delete", 1, 0)]) == Shape(size=2, depth=2, breadth=1, virality=2.0, waiting=0)
    assert incremental([("delete", 1, 0), *chain]) == incremental([*chain, ("delete", 1, 0)])


def test_children_wait_for_their_parent() -> None:
    cascade = Cascade(ROOT)
    cascade.add(3, 2)
    cascade.add(4, 2)
    assert cascade.shape() == Shape(size=1, depth=0, breadth=1, virality=None, waiting=2)
    cascade.add(2, ROOT)
    assert cascade.shape() == Shape(size=4, depth=2, breadth=2, virality=9 / 6, waiting=0)

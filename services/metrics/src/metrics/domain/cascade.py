"""Trees of replies and shares, kept up to date node by node, in whatever order the nodes arrive.

Structural virality is the mean distance over all pairs of nodes: Goel, Anderson, Hofman & Watts 2016, "The Structural Virality of
Online Diffusion", Management Science 62(1). Each change costs the depth of the tree, and joining two trees their levels besides.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Shape:
    """What a tree looks like, counted over the live nodes that hang on its root.

    `depth`: the root's level is 0. `breadth`: the most nodes on one level. `virality`: None below two nodes.
    `waiting`: nodes whose way to the root is not known (yet).
    """

    size: int
    depth: int
    breadth: int
    virality: float | None
    waiting: int


@dataclass(slots=True)
class _Node:
    parent: "_Node | None" = None
    seen: bool = False
    live: bool = False
    deleted: bool = False
    count: int = 0  # live nodes in the subtree, itself included
    distance: int = 0  # sum of the distances from here to them
    tree: "_Tree | None" = None  # of roots alone


@dataclass(slots=True)
class _Tree:
    pairs: int = 0  # sum of the distances of all pairs of live nodes
    levels: list[int] = field(default_factory=list)  # live nodes by distance from the root


class Cascade:
    """One post's tree. The root is part of it from the start: whoever answers it says that it is there."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._nodes: dict[int, _Node] = {}
        self._live = 0
        self._see(self._node(root))

    def __len__(self) -> int:
        return len(self._nodes)

    def add(self, node: int, parent: int) -> None:
        """Add a node under its parent, which may come later. What is known already, and a second root, changes nothing."""
        if node == self._root:
            return
        one = self._node(node)
        if one.seen:
            return
        self._see(one)
        above = self._node(parent)
        if _top(above)[0] is not one:  # a parent below its own child is no tree: such nodes wait for ever
            _join(one, above)

    def delete(self, node: int) -> None:
        """Make a node a ghost: it still connects what hangs on it, and is not counted. It may come before the node itself."""
        one = self._node(node)
        if one.deleted:
            return
        one.deleted = True
        if one.live:
            one.live = False
            self._live -= 1
            _count(one, -1)

    def shape(self) -> Shape:
        """Return what the tree looks like now."""
        root = self._nodes[self._root]
        tree = root.tree or _Tree()
        occupied = [level for level, count in enumerate(tree.levels) if count]
        pairs = root.count * (root.count - 1) // 2
        return Shape(
            size=root.count,
            depth=occupied[-1] if occupied else 0,
            breadth=max(tree.levels, default=0),
            virality=tree.pairs / pairs if pairs else None,
            waiting=self._live - root.count,
        )

    def _node(self, node: int) -> _Node:
        found = self._nodes.get(node)
        if found is None:
            found = self._nodes[node] = _Node(tree=_Tree())
        return found

    def _see(self, one: _Node) -> None:
        one.seen = True
        if not one.deleted:
            one.live = True
            self._live += 1
            _count(one, 1)


def _above(one: _Node) -> Iterator[tuple[_Node, int]]:
    """Yield the node and everything above it, with the distance from it."""
    here: _Node | None = one
    steps = 0
    while here is not None:
        yield here, steps
        here, steps = here.parent, steps + 1


def _top(one: _Node) -> tuple[_Node, int]:
    """Return the topmost node above and the distance to it."""
    top, depth = one, 0
    for here, steps in _above(one):
        top, depth = here, steps
    return top, depth


def _distances(one: _Node) -> int:
    """Return the sum of the distances from a node to all live nodes of its tree."""
    total, below_count, below_distance = 0, 0, 0
    for here, steps in _above(one):
        others = here.count - below_count
        total += here.distance - below_distance + others * steps
        below_count, below_distance = here.count, here.distance + here.count  # as the next one above sees them
    return total


def _count(one: _Node, sign: int) -> None:
    """Take a node into its tree's sums (1), or out of them (-1)."""
    top, depth = _top(one)
    tree = top.tree
    assert tree is not None  # noqa: S101 (topmost nodes have one)
    tree.pairs += sign * _distances(one)  # its distance to itself is 0, whether it is counted or not
    for here, steps in _above(one):
        here.count += sign
        here.distance += sign * steps
    _widen(tree.levels, depth, sign)


def _join(child: _Node, parent: _Node) -> None:
    """Hang a whole tree under a node of another one."""
    top, depth = _top(parent)
    tree, lower = top.tree, child.tree
    assert tree is not None  # noqa: S101 (topmost nodes have one)
    assert lower is not None  # noqa: S101
    # Every pair across goes over the new edge: down from it, one step, and up from it.
    across = top.count * child.distance + child.count * top.count + child.count * _distances(parent)
    tree.pairs += lower.pairs + across
    for level, count in enumerate(lower.levels):
        _widen(tree.levels, depth + 1 + level, count)
    child.parent, child.tree = parent, None
    for here, steps in _above(parent):
        here.count += child.count
        here.distance += child.distance + child.count * (steps + 1)


def _widen(levels: list[int], level: int, count: int) -> None:
    levels.extend([0] * (level + 1 - len(levels)))
    levels[level] += count

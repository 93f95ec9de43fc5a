"""The parts of an object that we read, the parts that we only keep, and what is left over."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from antiphon.errors import Invalid
from ingest.adapters.platforms.values import MAX_RAW, Json, dump
from ingest.domain import Reason


@dataclass(frozen=True, slots=True)
class Shape:
    """Fields of an object: `read` ones have a place in the event, `kept` ones are documented and stay raw.

    `nested` names the read ones that are objects themselves, with the fields read of each.
    """

    read: frozenset[str]
    kept: frozenset[str] = frozenset()
    nested: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def leftovers(self, value: Json, notes: Mapping[str, object] | None = None) -> tuple[bytes, int]:
        """Return everything that was not read, and our notes, as JSON (empty when there is nothing), and how many
        fields nobody has described yet. Raises Invalid when it is too much to keep.
        """
        rest, unknown = self._rest(value)
        if notes:
            rest = {**notes, **rest}
        if not rest:
            return b"", 0
        raw = dump(rest)
        if len(raw) > MAX_RAW:
            raise Invalid(Reason.TOO_LARGE, f"{len(raw)} bytes of fields without a place")
        return raw, unknown

    def _rest(self, value: Json) -> tuple[Json, int]:
        rest, unknown = {}, 0
        if not value.keys() <= self.read:
            for name in sorted(value.keys() - self.read):
                rest[name] = value[name]
                unknown += name not in self.kept
        for name, known in self.nested.items():
            part = value.get(name)
            if isinstance(part, dict) and not part.keys() <= known:
                rest[name] = {inner: part[inner] for inner in sorted(part.keys() - known)}
                unknown += len(part.keys() - known - self.kept)
        return rest, unknown


def shape(read: str, *, kept: str = "", **nested: str) -> Shape:
    """Write a shape as words: `shape("id from", kept="link", **{"from": "id name"})`."""
    inner = {name: frozenset(words.split()) for name, words in nested.items()}
    return Shape(frozenset(read.split()) | inner.keys(), frozenset(kept.split()), inner)

"""The use cases of segments: people of a brand that its rules name together."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from antiphon.auth import Principal
from antiphon.problems import Problem
from rules.configuration import Changes, ConfigurationService, Match, Saved, not_found
from rules.entities import MAX_PEOPLE, MAX_SEGMENTS, Segment
from rules.ports import ConfigStore


class SegmentService:
    """Segments. The audit log counts their people and does not name them: an opt-out must not leave a name behind for ever."""

    def __init__(self, *, store: ConfigStore, changes: Changes, configuration: ConfigurationService) -> None:
        self._store = store
        self._changes = changes
        self._configuration = configuration

    async def segment(self, brand: str, segment: str) -> Segment:
        """Return a segment. Raises 404."""
        found = await self._store.get(Segment, brand, segment)
        if found is None or found.deleted:
            raise not_found("segment", segment)
        return found

    async def segments(self, brand: str, after: str, limit: int) -> Sequence[Segment]:
        """Return a brand's segments. Raises 404."""
        await self._configuration.brand(brand)
        return await self._store.segments(brand, after, limit)

    async def put(self, by: Principal, brand: str, segment: str, match: Match | None, people: Collection[str]) -> Saved[Segment]:
        """Create or replace a segment. Raises 404, 428, 412, 409 when the brand has as many as it can."""
        await self._configuration.brand(brand)
        found = await self._store.get(Segment, brand, segment)
        if (found is None or found.deleted) and len(await self._store.segments(brand, "", MAX_SEGMENTS)) >= MAX_SEGMENTS:
            raise Problem(409, "too_many", f"The brand has {MAX_SEGMENTS} segments already; delete one first.")
        authors = tuple(sorted(set(people)))
        new = Segment(brand=brand, segment=segment, authors=authors, changed_time=self._changes.now(), actor=by.key_id)
        return await self._changes.put(new, match, by=by, action="segment.put", detail={"size": new.size})

    async def add(self, by: Principal, brand: str, segment: str, match: Match, people: Collection[str]) -> Saved[Segment]:
        """Put people into a segment; who is in it already stays. Raises 404, 412, 409 when it is full."""

        def added(authors: set[str]) -> set[str]:
            if len(authors | set(people)) > MAX_PEOPLE:
                raise Problem(409, "list_full", f"A segment holds {MAX_PEOPLE} people; this one has {len(authors)} already.")
            return authors | set(people)

        return await self._change(by, brand, segment, match, added, "segment.add")

    async def remove(self, by: Principal, brand: str, segment: str, match: Match, people: Collection[str]) -> Saved[Segment]:
        """Take people out of a segment; who is not in it does not matter. Raises 404, 412."""
        return await self._change(by, brand, segment, match, lambda authors: authors - set(people), "segment.remove")

    async def delete(self, by: Principal, brand: str, segment: str, match: Match) -> Saved[Segment]:
        """Forget a segment and its people; rules that name it no longer match by it. Raises 404, 412."""
        return await self._changes.change(
            lambda: self.segment(brand, segment),
            match,
            lambda found: replace(found, deleted=True, authors=()),
            by=by,
            action="segment.delete",
            detail=lambda _: {},
        )

    async def _change(
        self, by: Principal, brand: str, segment: str, match: Match, edit: Callable[[set[str]], set[str]], action: str
    ) -> Saved[Segment]:
        return await self._changes.change(
            lambda: self.segment(brand, segment),
            match,
            lambda found: replace(found, authors=tuple(sorted(edit(set(found.authors))))),
            by=by,
            action=action,
            detail=lambda changed: {"size": changed.size},
        )

"""The use cases of topics and tracked links: what a brand tells apart, and where its links lead."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from antiphon.auth import Principal
from antiphon.problems import Problem
from rules.configuration import Changes, ConfigurationService, Match, Saved, not_found
from rules.domain.programme import Tracked
from rules.entities import MAX_LINKS, MAX_TOPICS, Link, Topic
from rules.ports import ConfigStore
from rules.references import References


class TopicService:
    """Topics."""

    def __init__(self, *, store: ConfigStore, changes: Changes, configuration: ConfigurationService) -> None:
        self._store = store
        self._changes = changes
        self._configuration = configuration

    async def topic(self, brand: str, topic: str) -> Topic:
        """Return a topic. Raises 404."""
        found = await self._store.get(Topic, brand, topic)
        if found is None or found.deleted:
            raise not_found("topic", topic)
        return found

    async def topics(self, brand: str, after: str, limit: int) -> Sequence[Topic]:
        """Return a brand's topics. Raises 404."""
        await self._configuration.brand(brand)
        return await self._store.listed(Topic, brand, after, limit)

    async def put(self, by: Principal, brand: str, topic: str, match: Match | None, values: Mapping[str, Any]) -> Saved[Topic]:
        """Create or replace a topic. Raises 404, 428, 412, 409 when the brand has as many as it can."""
        await self._configuration.brand(brand)
        found = await self._store.get(Topic, brand, topic)
        if (found is None or found.deleted) and len(await self._store.listed(Topic, brand, "", MAX_TOPICS)) >= MAX_TOPICS:
            raise Problem(409, "too_many", f"The brand has {MAX_TOPICS} topics already; delete one first.")
        new = Topic(brand=brand, topic=topic, changed_time=self._changes.now(), actor=by.key_id, **values)
        return await self._changes.put(new, match, by=by, action="topic.put", detail=values)

    async def delete(self, by: Principal, brand: str, topic: str, match: Match) -> Saved[Topic]:
        """Forget a topic. Raises 404, 412."""
        return await self._changes.change(
            lambda: self.topic(brand, topic),
            match,
            lambda found: replace(found, deleted=True, terms=()),
            by=by,
            action="topic.delete",
            detail=lambda _: {},
        )


class LinkService:
    """Tracked links; `tracked` makes their URLs (None: that is not set up)."""

    def __init__(
        self,
        *,
        store: ConfigStore,
        changes: Changes,
        configuration: ConfigurationService,
        references: References,
        tracked: Tracked | None,
    ) -> None:
        self._store = store
        self._changes = changes
        self._configuration = configuration
        self._references = references
        self._tracked = tracked

    def tracked_url(self, link: Link) -> str | None:
        """Return what people publish by hand; None for a link that leads nowhere, and where no links are tracked."""
        return None if link.deleted or self._tracked is None else self._tracked(link.brand, link.link, "")

    async def link(self, brand: str, link: str) -> Link:
        """Return a link. Raises 404."""
        found = await self._store.get(Link, brand, link)
        if found is None or found.deleted:
            raise not_found("link", link)
        return found

    async def links(self, brand: str, after: str, limit: int) -> Sequence[Link]:
        """Return a brand's links. Raises 404."""
        await self._configuration.brand(brand)
        return await self._store.listed(Link, brand, after, limit)

    async def put(self, by: Principal, brand: str, link: str, match: Match | None, values: Mapping[str, Any]) -> Saved[Link]:
        """Create or replace a link. Raises 404, 428, 412, 422 for an unknown campaign, 409 when there are too many."""
        await self._configuration.brand(brand)
        await self._references.check_campaign(brand, values["campaign"], "/campaign")
        found = await self._store.get(Link, brand, link)
        if (found is None or found.deleted) and len(await self._store.listed(Link, brand, "", MAX_LINKS)) >= MAX_LINKS:
            raise Problem(409, "too_many", f"The brand has {MAX_LINKS} links already; delete one first.")
        new = Link(brand=brand, link=link, changed_time=self._changes.now(), actor=by.key_id, **values)
        return await self._changes.put(new, match, by=by, action="link.put", detail=values)

    async def delete(self, by: Principal, brand: str, link: str, match: Match) -> Saved[Link]:
        """Forget a link: it leads nowhere any more. Raises 404, 412, 409 when an active rule names it."""
        await self._references.check_unused(brand, link=link)
        return await self._changes.change(
            lambda: self.link(brand, link),
            match,
            lambda found: replace(found, deleted=True),
            by=by,
            action="link.delete",
            detail=lambda _: {},
        )

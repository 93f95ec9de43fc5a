"""Where the API is built: approvals, channels and the ledger of entries."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

from antiphon.answers import MongoAnswers
from antiphon.clock import Clock, SystemClock
from antiphon.http import build_api
from antiphon.mongo import prepare_and_stay
from antiphon.process import Built
from antiphon.starting import reachable
from publisher.adapters import http, http_channels, http_people, http_secrets
from publisher.adapters.mongo_contests import MongoContests
from publisher.adapters.mongo_entries import MongoEntries
from publisher.base_app import Base, build_base
from publisher.domain.model import told_of
from publisher.entries_app import ordering, register_entries
from publisher.service.approvals import Approvals
from publisher.service.moves import Moves
from publisher.settings import PublisherSettings


@asynccontextmanager
async def api(settings: PublisherSettings, *, clock: Clock | None = None) -> AsyncIterator[Built]:
    """Build the API: approvals and channels."""
    async with AsyncExitStack() as stack:
        base = await build_base(settings, clock or SystemClock(), stack)

        async def readiness() -> Mapping[str, bool]:
            return {"mongo": await reachable(base.database), "config": base.feed.complete}

        answers = MongoAnswers(base.database, "publisher", base.sealer, base.clock)
        app = build_api("Antiphon publisher", telemetry=base.telemetry, readiness=readiness, keys=base.keys, answers=answers)
        http.register(app, Approvals(base.ledger, _moves(base)), base.policies)
        http_channels.register(app, base.channels, base.platforms, _hosts(settings))
        http_secrets.register(app, base.secrets)
        http_people.register(app, base.database)
        entries = MongoEntries(base.database)
        orders = ordering(base.ledger, base.policies, base.clock)
        contests = MongoContests(base.database, base.sealer, base.clock)
        register_entries(app, settings, entries, base.campaigns, orders, contests, base.clock)
        yield app, [base.feed.run(), prepare_and_stay(*base.indexes, entries.prepare, answers.prepare)]


def _moves(base: Base) -> Moves:
    return Moves(
        ledger=base.ledger,
        quotas=base.quotas,
        clock=base.clock,
        timing=base.timing,
        tell=lambda entry: base.meter.delivered(told_of(entry)),
    )


def _hosts(settings: PublisherSettings) -> frozenset[str]:
    own = (settings.publisher_facebook_api_url, settings.publisher_instagram_api_url)
    return settings.publisher_api_hosts | {urlsplit(url).hostname or "" for url in own}

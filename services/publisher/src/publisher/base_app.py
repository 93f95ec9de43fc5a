"""Builds what the worker and the API share."""

import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx

from antiphon import failpoints
from antiphon.auth import KeyRing
from antiphon.clock import Clock
from antiphon.config_feed import ConfigFeed
from antiphon.egress import Egress, parse_networks
from antiphon.mongo import Database, connect
from antiphon.observing import show_revision
from antiphon.person_keys import record_sealer
from antiphon.persons import RecordSealer
from antiphon.seal import Sealer, build_sealer
from antiphon.telemetry import Telemetry
from publisher.adapters.campaigns import ConfigCampaigns
from publisher.adapters.config import ConfigPolicies
from publisher.adapters.email import Email, Server
from publisher.adapters.mongo_channels import MongoChannels
from publisher.adapters.mongo_ledger import MongoLedger
from publisher.adapters.mongo_secrets import MongoSecrets
from publisher.adapters.mongo_threads import MongoLimits
from publisher.adapters.platforms.facebook import Facebook
from publisher.adapters.platforms.graph import GraphClient
from publisher.adapters.platforms.instagram import Instagram
from publisher.adapters.telemetry import PublisherMeter
from publisher.adapters.webhooks import Webhooks
from publisher.domain.calls import Rate
from publisher.domain.changes import Timing
from publisher.domain.model import EMAIL, WEBHOOK
from publisher.ports import Platform
from publisher.service.quotas import Quotas
from publisher.settings import PublisherSettings

_KEEP_ALIVE_SECONDS = 4.0
"""Idle connections live shorter than platforms keep them: a reset on a stale one would leave an outcome unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What both roles need."""

    settings: PublisherSettings
    clock: Clock
    database: Database
    telemetry: Telemetry
    meter: PublisherMeter
    sealer: Sealer
    people: RecordSealer
    ledger: MongoLedger
    channels: MongoChannels
    secrets: MongoSecrets
    quotas: Quotas
    platforms: dict[str, Platform]
    policies: ConfigPolicies
    campaigns: ConfigCampaigns
    keys: KeyRing
    feed: ConfigFeed

    @property
    def indexes(self) -> Sequence[Callable[[], Awaitable[None]]]:
        """Return the steps that make the stores' indexes."""
        return self.ledger.prepare, self.channels.prepare, self.secrets.prepare

    @property
    def timing(self) -> Timing:
        """Return how long a send may take, and when its effect is looked for."""
        return Timing(lease=self.settings.publisher_lease_seconds, settle=self.settings.publisher_settle_seconds)


async def build_base(settings: PublisherSettings, clock: Clock, stack: AsyncExitStack) -> Base:
    """Build it; `stack` closes what must be closed."""
    client, database = connect(settings)
    stack.callback(client.close)
    telemetry, sealer, people = Telemetry("publisher"), build_sealer(settings), record_sealer(database, settings, clock)
    policies, campaigns, keys = ConfigPolicies(), ConfigCampaigns(), KeyRing(clock)
    feed = ConfigFeed(settings, policies.apply, campaigns.apply, keys.apply, people.follow)
    show_revision(telemetry, feed)
    return Base(
        settings=settings,
        clock=clock,
        database=database,
        telemetry=telemetry,
        meter=PublisherMeter(telemetry, clock),
        sealer=sealer,
        people=people,
        ledger=MongoLedger(database),
        channels=MongoChannels(database, sealer, clock),
        secrets=MongoSecrets(database, sealer, clock),
        quotas=Quotas(MongoLimits(database)),
        platforms=await _platforms(settings, clock, stack),
        policies=policies,
        campaigns=campaigns,
        keys=keys,
        feed=feed,
    )


async def _platforms(settings: PublisherSettings, clock: Clock, stack: AsyncExitStack) -> dict[str, Platform]:
    """Return what each kind of target is reached by."""
    client, timeout = await stack.enter_async_context(_http(settings)), settings.publisher_http_timeout_seconds
    graph = GraphClient(client, clock, timeout=timeout, failpoint=failpoints.hit)
    egress = Egress(
        allowed=parse_networks(settings.publisher_notify_allowed_networks),
        tls=ssl.create_default_context(cafile=settings.publisher_notify_ca_file),
    )
    stack.push_async_callback(egress.aclose)
    rate = Rate(settings.publisher_rate_per_second, settings.publisher_rate_burst)
    return {
        "facebook": Facebook(graph, settings.publisher_facebook_api_url, rate, settings.publisher_public_url),
        "instagram": Instagram(graph, settings.publisher_instagram_api_url, rate, settings.publisher_public_url),
        WEBHOOK: Webhooks(egress, clock, timeout=timeout),
        EMAIL: Email(_mail_server(settings), clock, timeout=timeout),
    }


def _http(settings: PublisherSettings) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        timeout=httpx.Timeout(settings.publisher_http_timeout_seconds, connect=settings.publisher_connect_timeout_seconds),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=256, keepalive_expiry=_KEEP_ALIVE_SECONDS),
        follow_redirects=False,
        trust_env=False,
        proxy=settings.publisher_egress_proxy,
    )


def _mail_server(settings: PublisherSettings) -> Server:
    off = settings.publisher_smtp_tls == "off"
    return Server(
        host=settings.publisher_smtp_host,
        port=settings.publisher_smtp_port,
        sender=settings.publisher_smtp_from,
        username=settings.publisher_smtp_username,
        password=settings.publisher_smtp_password,
        tls=None if off else ssl.create_default_context(cafile=settings.publisher_smtp_ca_file),
        start_tls=settings.publisher_smtp_tls == "starttls",
    )

"""Short ways to events, rules and snapshots."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
import yaml

from rules.adapters.matching import build_matcher
from rules.domain.event import Event
from rules.domain.matching.index import BrandSettings, Snapshot, build_snapshot
from rules.domain.model import Reply, Rule
from rules.domain.programme import Source, build_programme

NOON = 1_767_606_000.0
"""Monday, 5 January 2026, 09:40 UTC, in unix seconds."""

_COMMENT = Event(
    event_id="",
    brand="acme",
    platform="instagram",
    account="17841400000000001",
    channel="ig-main",
    kind="comment",
    verb="create",
    object="comment-1",
    parent="",
    root="post-1",
    author_id="anna",
    author_name="Anna Müller",
    author_handle="anna.m",
    followers=None,
    verified=None,
    text="How much is it?",
    media=(),
    rating=None,
    ad=False,
    echo=False,
    event_time=NOON,
    received_time=NOON + 1,
)


_PAGE = """
id: price-question
name: Answer price questions
state: active
priority: 100
where:
  platforms: [instagram, facebook]
  channels: [ig-main]
  kinds: [comment]
  objects: {only: [], except: ["1789_ad"]}
  top_level_only: true
  ads: include
when:
  all:
    - text: {any: [price, "how much", "сколько стоит"], none: [giveaway], as: words}
    - language: [en, de, ru]
    - sentiment: {at_most: neutral}
    - author: {followers_at_least: 1000, verified: true, segments: [vip], first_contact: true, not_in: [staff]}
    - rating: {at_most: 2}
    - cobra: {at_least: contributing}
    - has: [image, question]
    - thread: {depth_at_most: 3, human_active: false}
schedule: {timezone: Europe/Berlin, weekdays: [mon, tue],
           hours: ["09:00-18:00"], from: 2026-01-01, until: null, except: [2026-12-25]}
limits:
  - {per: author, at_most: 1, within: 24h}
  - {per: author_object, at_most: 1}
  - {per: rule, at_most: 500, within: 1h}
then:
  - reply: {text: {en: ["Hi {{author.first_name}}, it is 49 €.", "…"], de: ["…"], default: ["…"]}, mode: auto, delay: 20s-90s}
  - private_reply: {text: {en: ["…"]}, mode: approval}
  - hide: {}
  - tag: [price]
  - handoff: {queue: sales, note: "…"}
  - enter: {campaign: summer-ugc}
  - request_rights: {campaign: summer-ugc}
  - notify: {url: "https://example.com", secret_ref: crm}
stop: true
test: {share: 0.1, experiment: greeting}
examples:
  - {text: "How much is it?", language: en, acts: true}
  - {text: "price of the giveaway?", acts: false}
"""


@pytest.fixture(scope="session")
def page() -> Callable[[], dict[str, Any]]:
    """Return a maker of the document that uses the whole rule language."""
    return lambda: yaml.safe_load(_PAGE)


@pytest.fixture(scope="session")
def supported(page: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Return a maker of the same document without what is for a campaign."""

    def make() -> dict[str, Any]:
        document = page()
        of_campaigns = {"enter", "request_rights"}
        return {**document, "then": [action for action in document["then"] if of_campaigns.isdisjoint(action)]}

    return make


@pytest.fixture(scope="session")
def noon() -> float:
    """Return the time at which things happen."""
    return NOON


@pytest.fixture(scope="session")
def comment() -> Callable[..., Event]:
    """Return a maker of comments; `name` makes the id, `at` shifts both times by seconds, other fields replace."""

    def make(name: str = "e", *, at: float = 0.0, **changes: Any) -> Event:
        event_id = sha256(name.encode()).hexdigest()
        times = {"event_time": NOON + at, "received_time": NOON + at + 1}
        return _COMMENT._replace(event_id=event_id, **{**times, **changes})

    return make


@pytest.fixture(scope="session")
def rule() -> Callable[..., Rule]:
    """Return a maker of rules that answer everything unless told otherwise."""

    def make(rule_id: str = "any", **changes: Any) -> Rule:
        fields = {"version": 1, "brand": "acme", "then": (Reply(texts={"default": ("Thank you",)}),)}
        return Rule(rule_id=rule_id, **{**fields, **changes})

    return make


@pytest.fixture(scope="session")
def snapshot() -> Callable[..., Snapshot]:
    """Return a maker of snapshots of the one brand "acme" with given rules; other arguments are the brand's settings.

    `programme`: what the brand runs beside its rules.
    """

    def make(
        *rules: Rule, accounts: tuple[tuple[str, str], ...] = (), programme: Source | None = None, **settings: Any
    ) -> Snapshot:
        beside = {"acme": build_programme(programme, build_matcher)} if programme is not None else None
        return build_snapshot(7, [BrandSettings("acme", **settings)], rules, accounts, build_matcher, programmes=beside)

    return make

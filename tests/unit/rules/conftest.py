"""Short ways to events, rules and snapshots."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from rules.adapters.matching import build_matcher
from rules.domain.event import Event
from rules.domain.index import BrandSettings, Snapshot, build_snapshot
from rules.domain.model import Reply, Rule

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
        return replace(_COMMENT, event_id=event_id, **{**times, **changes})

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
    """Return a maker of snapshots of the one brand "acme" with given rules; other arguments are the brand's settings."""

    def make(*rules: Rule, accounts: tuple[tuple[str, str], ...] = (), **settings: Any) -> Snapshot:
        return build_snapshot(7, [BrandSettings("acme", **settings)], rules, accounts, build_matcher)

    return make

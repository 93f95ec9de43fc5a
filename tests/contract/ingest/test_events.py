"""What ingest writes is what the contract says."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.times import from_timestamp
from antiphon.v1 import event_pb2 as pb
from ingest.adapters.codec import KINDS, PLATFORMS, VERBS, encode
from ingest.domain import Account, Author, Event, Kind, Media, Platform, Referral, Verb


@pytest.mark.parametrize(
    ("words", "enum", "prefix"),
    [(PLATFORMS, pb.Platform, "PLATFORM"), (KINDS, pb.EventKind, "EVENT_KIND"), (VERBS, pb.Verb, "VERB")],
)
def test_every_word_of_the_contract_has_one_here(words: dict[Platform | Kind | Verb, int], enum: object, prefix: str) -> None:
    numbers = dict(enum.items())  # type: ignore[attr-defined]
    assert numbers.pop(f"{prefix}_UNSPECIFIED") == 0
    assert {f"{prefix}_{word.upper()}": number for word, number in words.items()} == numbers


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
EVENTS = st.builds(
    Event,
    event_id=st.just("a" * 64),
    platform=st.sampled_from(Platform),
    account=TEXT,
    kind=st.sampled_from(Kind),
    verb=st.sampled_from(Verb),
    object=TEXT,
    event_time=st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 (bounds have no zone)
    parent=TEXT,
    root=TEXT,
    author=st.builds(Author, TEXT, TEXT, TEXT),
    text=TEXT,
    media=st.lists(st.builds(Media, TEXT, TEXT), max_size=3),
    rating=st.none() | st.floats(1, 5),
    reaction=TEXT,
    ad=st.booleans(),
    echo=st.booleans(),
    raw=st.binary(max_size=20),
    referral=st.none() | st.builds(Referral, TEXT, TEXT, TEXT, TEXT, st.floats(0, 1e9), TEXT),
    campaign=TEXT,
)


@given(EVENTS)
def test_event_arrives_as_it_was(event: Event) -> None:
    received = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
    found = pb.Event.FromString(encode(event, Account(event.account, "acme", "page"), "source", received))
    assert (found.brand, found.channel, found.source) == ("acme", "page", "source")
    for name in ("event_id", "account", "object", "parent", "root", "reaction", "ad", "echo", "raw", "campaign"):
        assert getattr(found, name) == getattr(event, name)
    assert found.text == ("" if event.echo else event.text)
    assert (found.platform, found.kind, found.verb) == (PLATFORMS[event.platform], KINDS[event.kind], VERBS[event.verb])
    assert (found.author.id, found.author.name, found.author.handle) == (event.author.id, event.author.name, event.author.handle)
    assert [(one.type, one.url) for one in found.media] == [(one.type, one.url) for one in event.media]
    assert (found.rating if found.HasField("rating") else None) == event.rating
    assert found.HasField("referral") == (event.referral is not None)
    for name in ("link", "action_id", "click", "reference", "value", "currency") if event.referral else ():
        assert getattr(found.referral, name) == getattr(event.referral, name)
    assert from_timestamp(found.event_time) == event.event_time
    assert from_timestamp(found.received_time) == received

"""What is kept of a visitor: a pseudonym that says nothing, of a neighbourhood, for a day."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.web import CLICK_WINDOW_SECONDS, Campaign, click_event, neighbourhood, visitor

KEY, DAY = b"k" * 32, date(2026, 3, 2)
AGENT = "Mozilla/5.0"


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("203.0.113.77", "cb0071"),
        ("::ffff:203.0.113.77", "cb0071"),
        ("2001:db8:1:2:3::4", "20010db80001"),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_of_an_address_the_neighbourhood_is_kept(address: str, kept: str) -> None:
    assert neighbourhood(address) == kept


def test_neighbours_with_the_same_browser_are_one_visitor_and_others_are_not() -> None:
    one = visitor(KEY, "acme", DAY, "203.0.113.77", AGENT)
    assert one == visitor(KEY, "acme", DAY, "203.0.113.78", AGENT)
    others = [
        visitor(b"o" * 32, "acme", DAY, "203.0.113.77", AGENT),
        visitor(KEY, "zeta", DAY, "203.0.113.77", AGENT),
        visitor(KEY, "acme", date(2026, 3, 3), "203.0.113.77", AGENT),
        visitor(KEY, "acme", DAY, "203.0.114.77", AGENT),
        visitor(KEY, "acme", DAY, "203.0.113.77", AGENT + " x"),
    ]
    assert len({one, *others}) == 6


@given(st.text(), st.text())
def test_any_address_and_any_browser_have_a_visitor(address: str, agent: str) -> None:
    found = visitor(KEY, "acme", DAY, address, agent.encode("latin-1", "replace").decode("latin-1"))
    assert len(found) == 22
    assert found.startswith("v-")


@given(st.integers(0, 10**9), st.integers(0, CLICK_WINDOW_SECONDS - 1))
def test_clicks_in_a_window_are_one_event(window: int, offset: int) -> None:
    begin = window * CLICK_WINDOW_SECONDS
    first, again, later = (
        click_event("acme", "a", "", "v-1", datetime.fromtimestamp(begin + seconds, UTC))
        for seconds in (0, offset, CLICK_WINDOW_SECONDS)
    )
    assert first.event_id == again.event_id != later.event_id


@pytest.mark.parametrize(
    ("state", "hour", "words"),
    [
        ("active", 9, "from 2026-03-02T10:00"),
        ("active", 10, ""),
        ("active", 11, ""),
        ("active", 12, "until 2026-03-02T12:00"),
        ("paused", 11, "is paused"),
        ("closed", 11, "is closed"),
    ],
)
def test_a_campaign_takes_entries_from_its_start_until_before_its_end(state: str, hour: int, words: str) -> None:
    start, end = (datetime(2026, 3, 2, at, tzinfo=UTC) for at in (10, 12))
    campaign = Campaign("acme", "summer", state, form=True, start=start, end=end)
    because = campaign.closed_because(datetime(2026, 3, 2, hour, tzinfo=UTC))
    assert words in because
    assert bool(because) == bool(words)

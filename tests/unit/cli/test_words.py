"""What people read: decisions on a line, times as they write them, differences in what is meant."""

from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from antiphon_cli.backtest_command import moment, show
from antiphon_cli.console import markup, one_line, unified
from antiphon_cli.errors import Failure
from antiphon_cli.plan import Difference, Remote, Status
from antiphon_cli.tail_command import line
from antiphon_cli.words import became, doing, fate, understood

NOW = datetime(2026, 5, 8, 12, tzinfo=UTC)


def decision(**changes: Any) -> dict[str, Any]:
    """Return a decision as the API tells it."""
    return {
        "event_id": "f" * 64,
        "time": "2026-05-08T12:00:01+00:00",
        "platform": "facebook",
        "author": {"id": "7", "name": "Anna Bell", "handle": ""},
        "text": "How much is it, and where can I get one of these " * 4,
        "outcome": "not_acted",
        "reason": "",
        "rules": [{"rule_id": "price", "reason": "limit", "detail": "1 in 24h"}],
        **changes,
    }


def shown(found: dict[str, Any], *, terminal: bool) -> str:
    """Return a decision's line as it is printed."""
    console = Console(file=StringIO(), force_terminal=terminal, width=120, color_system=None, soft_wrap=True)
    return line(found, console).plain


@pytest.mark.parametrize(
    ("state", "reason", "detail", "waiting", "told"),
    [
        ("posted", "unspecified", "", "", "posted 2026-05-08T12:00:01"),
        ("failed", "no_secret", "store it", "", "failed 2026-05-08T12:00:01 (no_secret: store it)"),
        ("new", "held", "", "held: a crisis", "new 2026-05-08T12:00:01 (held: a crisis)"),
    ],
)
def test_where_a_delivery_stands(state: str, reason: str, detail: str, waiting: str, told: str) -> None:
    changed = "2026-05-08T12:00:01.500000Z"
    assert fate({"state": state, "reason": reason, "detail": detail, "waiting": waiting, "changed_time": changed}) == told


def test_on_a_terminal_the_text_is_cut_and_the_reasons_stay() -> None:
    text = shown(decision(), terminal=True)
    assert len(text) <= 120
    assert text.endswith("not_acted  price limit (1 in 24h)")
    assert "…" in text


def test_elsewhere_nothing_is_cut_and_the_event_can_be_asked_about() -> None:
    text = shown(decision(), terminal=False)
    assert decision()["text"].strip() in text
    assert text.endswith("f" * 64)
    assert shown(decision(text=None, rules=[], reason="own_account"), terminal=False).count("own_account") == 1


def test_a_strangers_text_is_one_line_without_commands_for_the_terminal() -> None:
    assert one_line("a\nb\x1b[2J\u202ec") == "a b [2J c"
    assert one_line("👩\u200d🚀") == "👩\u200d🚀"
    assert markup("[red]x[/red]") == r"\[red]x\[/red]"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("7d", "2026-05-01T12:00:00+00:00"),
        ("90m", "2026-05-08T10:30:00+00:00"),
        ("2026-05-01T18:00+02:00", "2026-05-01T18:00:00+02:00"),
    ],
)
def test_times_are_read_as_people_write_them(text: str, told: str) -> None:
    assert moment(text, NOW) == told


def test_a_day_is_a_day_here_and_anything_else_is_refused() -> None:
    assert datetime.fromisoformat(moment("2026-05-01", NOW)).tzinfo is not None
    with pytest.raises(Failure, match="no time"):
        moment("yesterday", NOW)


def test_short_words() -> None:
    assert (
        understood({"language": "de", "sentiment": "negative", "score": -0.5, "flags": ["complaint"]})
        == "de negative -0.50 complaint"
    )
    assert understood({"language": "", "sentiment": "", "score": None, "flags": []}) == "? no sentiment"
    action = {"kind": "reply", "mode": "approval", "text": "Hi", "tags": [], "queue": "", "url": ""}
    assert doing(action) == "reply (approval): Hi"
    assert doing({**action, "kind": "hide", "mode": "auto", "text": ""}) == "hide"
    assert became({"rule_id": "a", "reason": "acted", "detail": ""}) == "a acted"


def test_a_difference_shows_what_is_meant() -> None:
    there = Remote({"id": "a", "where": {"kinds": ["comment"]}, "then": [{"tag": ["x"]}]}, 1)
    here = {"id": "a", "then": [{"tag": ["x"]}, "hide"], "where": {"kinds": ["comment"]}}
    lines = unified(Difference("rules/a", Status.HERE, here, there))
    assert [text for text in lines if text[:1] in "+-" and text[:3] not in {"+++", "---"}] == ["+  - hide: {}"]
    assert unified(Difference("rules/a", Status.HERE, None, there))[1] == "+++ /dev/null"


def test_a_result_of_a_backtest_is_readable() -> None:
    counts = {"matched": 3, "acted": 2, "limited": 0, "answered": 1}
    side = {"rule_id": "price", "mode": "auto", "text": "49 €"}
    result = {
        "period": {"from": "2026-05-01T00:00:00+00:00", "until": "2026-05-08T00:00:00+00:00"},
        "events": 1200,
        "warm_up_events": 30,
        "warnings": ["begins before the archive"],
        "changes": {"reply": {name: {"all": 2, "negative": 1} for name in ("added", "removed", "changed")}},
        "rules": [{"rule_id": "price", "old": counts, "new": {**counts, "acted": 5}}],
        "quotas": [{"channel": "fb", "what": "calls", "allowed": 200, "old_peak": 3, "new_peak": 9}],
        "samples": [
            {
                "change": "added",
                "kind": "reply",
                "platform": "facebook",
                "language": "en",
                "polarity": "neutral",
                "text": "price?",
                "old": None,
                "new": side,
                "why": {"other": "limit"},
            }
        ],
    }
    out = StringIO()
    show(result, Console(file=out, width=120, soft_wrap=True, color_system=None))
    text = out.getvalue()
    for part in (
        "1,200 comments",
        "begins before the archive",
        "2 (1 negative)",
        "2 → 5",
        "3 → 9 of 200 allowed",
        "49 €",
        "other: limit",
    ):
        assert part in text

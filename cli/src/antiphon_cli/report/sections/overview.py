"""What matters most, on one screen."""

from collections.abc import Callable
from typing import Any

from antiphon_cli.report import wording
from antiphon_cli.report.model import Fact, Section
from antiphon_cli.report.sections import Json, Reports, before, total

Take = Callable[[Json], Any]


def section(reports: Reports) -> Section:
    """Return the summary with its comparison."""
    summary = reports["summary"]
    past = summary.get("before")
    counted = [
        _number("People seen", "people", reports["cobra"], lambda found: found["people_total"]),
        _number("Statements", "volume", reports["ewom"], lambda found: found["all"]["volume"]),
        _score("Mean sentiment", "valence", reports["ewom"], lambda found: found["all"]["valence"]),
        _share("Answered", "response-rate", reports["responses"], lambda found: found["response_rate"]["share"]),
        _time("First response, median", "first-response", reports["responses"], lambda found: found["first_response_ms"]["p50"]),
        Fact(
            "Without a person's hand",
            wording.share(summary["automation"]["share"]),
            wording.changed_share(summary["automation"]["share"], past["automation"]["share"] if past else None),
            "automation",
        ),
        Fact("Waiting for approval", wording.number(summary["waiting"]), definition="waiting"),
        Fact("Outcome unknown", wording.number(summary["parked"]), definition="parked"),
    ]
    return Section("summary", "Summary", facts=counted, notes=list(_warnings(summary)))


def _warnings(summary: Json) -> list[str]:
    lost = summary["lost"]
    return (
        [f"{wording.number(lost)} events have no decision yet although they should: tell those who run Antiphon."] if lost else []
    )


def _number(label: str, definition: str, report: Json, take: Take) -> Fact:
    now, past = _both(report, take)
    return Fact(label, wording.number(now), wording.changed(now, past), definition)


def _share(label: str, definition: str, report: Json, take: Take) -> Fact:
    now, past = _both(report, take)
    return Fact(label, wording.share(now), wording.changed_share(now, past), definition)


def _score(label: str, definition: str, report: Json, take: Take) -> Fact:
    now, past = _both(report, take)
    return Fact(label, wording.sentiment(now), wording.was(wording.sentiment(now), wording.sentiment(past)), definition)


def _time(label: str, definition: str, report: Json, take: Take) -> Fact:
    now, past = _both(report, take)
    return Fact(label, wording.duration(now), wording.was(wording.duration(now), wording.duration(past)), definition)


def _both(report: Json, take: Take) -> tuple[Any, Any]:
    past = before(report)
    return take(total(report)), None if past is None else take(past)

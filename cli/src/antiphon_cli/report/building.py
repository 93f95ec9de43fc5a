"""What the API says → a report."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import yaml

from antiphon_cli.report import wording
from antiphon_cli.report.model import Definition, Report
from antiphon_cli.report.sections import Json, Reports, campaigns, overview, people, service, word_of_mouth

NAMES = ("summary", "cobra", "ewom", "campaigns", "influencers", "responses", "guard")
"""The reports of the API that a page is made of."""

_IN_SERIES = frozenset({"ewom"})
"""Those that are shown over time: a series of the others would only be computed."""

_SECTIONS = (
    overview.section,
    people.cobra,
    word_of_mouth.ewom,
    word_of_mouth.voice,
    word_of_mouth.reviews,
    campaigns.section,
    people.influencers,
    service.responses,
    service.guard,
)

_STEPS = ((timedelta(days=3), "hour"), (timedelta(days=62), "day"), (timedelta(days=400), "week"))
"""Up to such a period, so that a chart has some dozens of points: fewer tell no course, more are not told apart."""


def granularity(start: datetime, end: datetime) -> str:
    """Return into what a period is best cut."""
    return next((step for longest, step in _STEPS if end - start <= longest), "month")


def series_of(name: str, step: str) -> str:
    """Return the granularity with which a report is asked for."""
    return step if name in _IN_SERIES else "none"


def build(reports: Reports, *, brand: str, name: str, made: datetime) -> Report:
    """Return the report. `name`: the brand's name as people know it; `made`: now."""
    ewom = reports["ewom"]
    zone = ZoneInfo(ewom["timezone"])
    period = _period(ewom, zone)
    about = [("Period", period), ("Time zone", ewom["timezone"])]
    if past := ewom["before"]:
        about.append(("Compared with", _period(past, zone)))
    about.append(("Made", f"{made.astimezone(zone):%Y-%m-%d %H:%M}"))
    return Report(
        brand=brand,
        title=f"{name}, {period}",
        about=about,
        sections=[section(reports) for section in _SECTIONS],
        definitions=definitions(),
    )


@cache
def definitions() -> Sequence[Definition]:
    """Return the appendix."""
    text = (files(__package__) / "definitions.yaml").read_text(encoding="utf-8")
    return tuple(Definition(**entry) for entry in yaml.safe_load(text))


def _period(span: Json, zone: ZoneInfo) -> str:
    start, end = (datetime.fromisoformat(span[name]).astimezone(zone) for name in ("from", "to"))
    if start.time() == end.time() == datetime.min.time():
        last = (end.astimezone(UTC) - timedelta(microseconds=1)).astimezone(zone)
        return wording.days(start, last)
    return f"{wording.day(start)}, {start:%H:%M}, to {wording.day(end)}, {end:%H:%M}"

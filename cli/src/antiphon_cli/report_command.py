"""`antiphon report`."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from antiphon_cli.backtest_command import moment
from antiphon_cli.console import remarks, screen
from antiphon_cli.errors import Failure
from antiphon_cli.options import Brand, brand_api
from antiphon_cli.remote import BrandApi

_TIMEOUT_S = 120.0
"""A report over a year reads thousands of hours."""

_UNSAFE = re.compile(r"[^\w.-]+")
"""In a file's name; a brand's id has none of these, whatever the API may say."""

_DAYS = re.compile(r"(\d{1,4})d")
_LOCAL = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?)?")


class Step(StrEnum):
    """Into what the period is cut."""

    AUTO = "auto"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report", epilog="Example: antiphon report --from 30d --zone Europe/Berlin")(_report)


def _report(
    context: typer.Context,
    brand: Brand = "",
    since: Annotated[str, typer.Option("--from", metavar="WHEN", help="A day, a time, or how long ago: 30d, 12h.")] = "7d",
    until: Annotated[str, typer.Option("--to", metavar="WHEN", help="The same, not included; now unless told.")] = "",
    step: Annotated[Step, typer.Option("--granularity", help="Into what charts over time cut the period.")] = Step.AUTO,
    zone: Annotated[str, typer.Option("--zone", metavar="ZONE", help="Whose calendar it is: Europe/Berlin.")] = "UTC",
    compare: Annotated[bool, typer.Option("--compare/--no-compare", help="With the period of equal length before.")] = True,
    target: Annotated[float, typer.Option("--target", min=1, metavar="SECONDS", help="For the first response.")] = 3_600,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Else report-BRAND-FROM-TO.html here.")
    ] = None,
) -> None:
    """Write a brand's report as one HTML file: charts, tables and definitions, which needs no network and no script."""
    from antiphon_cli.report import building  # here: what draws charts is not loaded for other commands
    from antiphon_cli.report.page import page

    remote = brand_api(context, brand)
    with remote.api:
        settings = remote.api.get(remote.path)
        calendar = _calendar(zone)
        now = datetime.now(UTC)
        start, end = _moment(since, now, calendar), _moment(until, now, calendar) if until else now
        cut = building.granularity(start, end) if step is Step.AUTO else str(step)
        asked = {"brand": remote.brand, "from": start.isoformat(), "to": end.isoformat(), "timezone": calendar.key}
        reports = {name: _fetch(remote, name, asked, building.series_of(name, cut), compare, target) for name in building.NAMES}
    report = building.build(reports, brand=remote.brand, name=settings.get("name") or remote.brand, made=now)
    path = output or Path(_file_name(remote.brand, start.astimezone(calendar), end.astimezone(calendar)))
    try:
        path.write_text(page(report), encoding="utf-8")
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}", "choose another place with --output") from error
    remarks().print(f"{len(report.sections)} sections, {sum(len(one.figures) for one in report.sections)} charts")
    screen().print(str(path), markup=False)


def _fetch(remote: BrandApi, name: str, asked: Mapping[str, str], step: str, compare: bool, target: float) -> Any:
    more: dict[str, Any] = {"target_s": target} if name == "responses" else {}
    if compare:
        more["compare"] = "true"
    return remote.api.get(f"/v1/reports/{name}", timeout_s=_TIMEOUT_S, **asked, granularity=step, **more)


def _calendar(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Failure(f"{name!r} is no time zone", "write it as Europe/Berlin") from error


def _moment(text: str, now: datetime, calendar: ZoneInfo) -> datetime:
    """Return a moment. Days are whole in the report's own calendar: a bare day is its midnight, `30d` that of 30 days ago."""
    told = text.strip()
    if ago := _DAYS.fullmatch(told):
        told = f"{now.astimezone(calendar).date() - timedelta(days=int(ago[1]))}"
    if _LOCAL.fullmatch(told):
        return datetime.fromisoformat(told).replace(tzinfo=calendar).astimezone(UTC)
    return datetime.fromisoformat(moment(told, now)).astimezone(UTC)


def _file_name(brand: str, start: datetime, end: datetime) -> str:
    last = end - timedelta(microseconds=1)
    return f"report-{_UNSAFE.sub('-', brand)}-{start:%Y-%m-%d}-{last:%Y-%m-%d}.html"

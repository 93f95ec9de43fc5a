"""A brand's reports as the API gives them become one page; the command asks for what was told and writes where it was told."""

import copy
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from typer.testing import CliRunner, Result

from antiphon_cli.app import build
from antiphon_cli.report import building
from antiphon_cli.report.model import Report, Section
from antiphon_cli.report.page import page
from tests.unit.cli.conftest import Quiet, serving

STORED = Path(__file__).with_name("data") / "reports.json"

HOSTILE = '<img src=x onerror=alert(1)>"'

MADE = datetime(2026, 10, 20, 8, 30, tzinfo=UTC)


@pytest.fixture
def reports() -> dict[str, Any]:
    """A made-up week of a made-up brand, as the reports API tells it."""
    return orjson.loads(STORED.read_bytes())


def built(reports: dict[str, Any], name: str = "Demo Air") -> Report:
    return building.build(reports, brand="demo", name=name, made=MADE)


def section(report: Report, anchor: str) -> Section:
    return next(one for one in report.sections if one.anchor == anchor)


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u2212", "-")


def facts(one: Section) -> dict[str, str]:
    return {fact.label: plain(fact.value) for fact in one.facts}


def test_every_section_stands_and_at_most_eight_charts(reports: dict[str, Any]) -> None:
    report = built(reports)
    anchors = [one.anchor for one in report.sections]
    assert anchors == ["summary", "cobra", "ewom", "voice", "reviews", "campaigns", "influencers", "responses", "guard"]
    assert 0 < sum(len(one.figures) for one in report.sections) <= 8
    assert report.title == "Demo Air, 5 October to 11 October 2026"
    assert dict(report.about)["Compared with"] == "28 September to 4 October 2026"
    assert dict(report.about)["Made"] == "2026-10-20 10:30"


def test_the_numbers_are_those_of_the_api(reports: dict[str, Any]) -> None:
    report = built(reports)
    ewom = reports["ewom"]["total"]["all"]
    summary = facts(section(report, "summary"))
    assert summary["Statements"] == str(ewom["volume"])
    assert summary["Answered"] == f"{reports['responses']['total']['response_rate']['share'] * 100:.1f} %"
    volume, valence = section(report, "ewom").figures
    assert sum(int(plain(row[1])) for row in volume.table.rows) == ewom["volume"]
    assert [row[0] for row in volume.table.rows] == [f"{day} Oct" for day in range(5, 12)]
    assert len(valence.table.rows) == 7
    (funnel,) = section(report, "cobra").figures
    people = [int(plain(row[1])) for row in funnel.table.rows]
    assert people[0] == reports["cobra"]["total"]["people_total"]
    assert all(more >= fewer for more, fewer in pairwise(people))


def test_each_share_of_the_funnel_stands_with_its_interval(reports: dict[str, Any]) -> None:
    (funnel,) = section(built(reports), "cobra").figures
    for row in funnel.table.rows[1:]:
        share = float(plain(row[2]).removesuffix(" %"))
        low, high = map(float, row[3].split(" to "))
        assert low <= share <= high


def test_what_platforms_do_not_report_is_stated(reports: dict[str, Any]) -> None:
    notes = " ".join(section(built(reports), "cobra").notes)
    assert "Blind share of facebook" in notes
    assert "view" in notes
    reports["cobra"]["total"]["blind"] = [{"platform": "elsewhere", "unreported": None, "share": None}]
    assert "What elsewhere does not report is not known here." in section(built(reports), "cobra").notes


def test_without_a_comparison_nothing_is_compared(reports: dict[str, Any]) -> None:
    assert any(fact.change for fact in section(built(reports), "summary").facts)
    for report in reports.values():
        report["before"] = None
    report = built(reports)
    assert not any(fact.change for fact in section(report, "summary").facts)
    assert "Compared with" not in dict(report.about)


def test_every_link_to_a_definition_leads_to_one(reports: dict[str, Any]) -> None:
    report = built(reports)
    linked = {part.definition for one in report.sections for part in (*one.facts, *one.figures) if part.definition}
    defined = [one.anchor for one in report.definitions]
    assert linked <= set(defined)
    assert len(set(defined)) == len(defined)
    assert set(defined) <= linked, "a definition that nothing refers to"


def test_lost_events_are_told(reports: dict[str, Any]) -> None:
    reports["summary"]["lost"] = 3
    assert "3 events have no decision yet" in section(built(reports), "summary").notes[0]


def test_a_strangers_name_is_a_name_and_no_element(reports: dict[str, Any]) -> None:
    poisoned = poison(copy.deepcopy(reports))
    written = page(built(poisoned, HOSTILE))
    assert "<img" not in written
    assert written.count("&lt;img src=x onerror=alert(1)&gt;") > 20


def poison(value: Any, name: str = "") -> Any:
    """Return a report in which everything that people can name has a hostile name."""
    free = {"name", "reason", "scope", "campaign", "link", "competitor", "platform", "brand"}
    if isinstance(value, dict):
        renamed = name in {"by_platform", "by_topic", "by_campaign", "events_by_platform"}
        return {(f"{HOSTILE}{key}" if renamed else key): poison(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [poison(inner, name) for inner in value]
    return HOSTILE if name in free and isinstance(value, str) else value


def test_a_period_in_which_nothing_happened_is_a_page_that_says_so(reports: dict[str, Any]) -> None:
    report = built(nothing(reports))
    assert not any(one.figures for one in report.sections if one.anchor != "ewom")
    written = page(report)
    for words in ("Nobody was seen", "no reviews", "Nothing was held", "Nothing was answered", "no entry, click or conversion"):
        assert words in written
    assert "nan" not in re.sub(r"<style>.*?</style>", "", written, flags=re.DOTALL).lower().split()


def nothing(value: Any, name: str = "") -> Any:
    """Return a report without any event: counts are 0, what would be divided is null, lists and breakdowns are empty."""
    if isinstance(value, dict):
        if name.startswith(("by_", "events_by", "people_by")) or name in {"distribution", "events_without_person"}:
            return {}
        return {key: nothing(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [nothing(inner) for inner in value] if name == "series" else []
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    return value if name in {"target_s", "half_life_days"} else 0 if isinstance(value, int) else None


def test_one_point_is_no_line(reports: dict[str, Any]) -> None:
    reports["ewom"]["series"] = reports["ewom"]["series"][:1]
    assert not section(built(reports), "ewom").figures


@pytest.mark.parametrize(
    ("days", "step"), [(1, "hour"), (3, "hour"), (7, "day"), (62, "day"), (63, "week"), (366, "week"), (500, "month")]
)
def test_a_period_is_cut_so_that_a_chart_has_some_dozens_of_points(days: int, step: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert building.granularity(start, datetime.fromtimestamp(start.timestamp() + days * 86_400, UTC)) == step


class Api:
    """Answers as the API does, from the stored week."""

    def __init__(self, reports: dict[str, Any]) -> None:
        self.url, self.reports = "", reports
        self.asked: dict[str, dict[str, str]] = {}

    def answer(self, target: str) -> tuple[int, Any]:
        parts = urlsplit(target)
        if parts.path == "/v1/brands/demo":
            return 200, {"id": "demo", "name": "Demo & Söhne", "generation": 1}
        name = parts.path.removeprefix("/v1/reports/")
        self.asked[name] = {key: values[0] for key, values in parse_qs(parts.query).items()}
        return (200, self.reports[name]) if name in self.reports else (404, {"code": "not_found", "detail": "no such brand"})


@pytest.fixture
def api(reports: dict[str, Any]) -> Iterator[Api]:
    told = Api(reports)

    class Handler(Quiet):
        def do_GET(self) -> None:  # noqa: N802 (the name that `http.server` calls)
            status, body = told.answer(self.path)
            content = orjson.dumps(body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with serving(Handler) as told.url:
        yield told


def run(api: Api, home: Path, *arguments: str) -> Result:
    env = {"ANTIPHON_URL": api.url, "ANTIPHON_KEY": "k", "ANTIPHON_BRAND": "demo", "HOME": str(home), "NO_PROXY": "*"}
    return CliRunner().invoke(build(), ["report", *arguments], env={**env, "XDG_CONFIG_HOME": None})


def test_the_command_writes_one_file_named_after_brand_and_period(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = run(api, tmp_path, "--from", "2026-10-05", "--to", "2026-10-12", "--zone", "Europe/Berlin")
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.strip() == "report-demo-2026-10-05-2026-10-11.html"
    assert "<h1>Demo &amp; Söhne, 5 October to 11 October 2026</h1>" in (tmp_path / ended.stdout.strip()).read_text()


def test_the_command_asks_for_what_was_told(api: Api, tmp_path: Path) -> None:
    place = tmp_path / "page.html"
    told = ["--from", "2026-10-05", "--to", "2026-10-12", "--zone", "Europe/Berlin", "--no-compare", "--target", "600"]
    assert run(api, tmp_path, *told, "-o", str(place)).exit_code == 0
    assert set(api.asked) == set(building.NAMES)
    for asked in api.asked.values():
        assert (asked["brand"], asked["timezone"]) == ("demo", "Europe/Berlin")
        assert (asked["from"], asked["to"]) == ("2026-10-04T22:00:00+00:00", "2026-10-11T22:00:00+00:00")
        assert "compare" not in asked
    assert api.asked["ewom"]["granularity"] == "day"
    assert api.asked["cobra"]["granularity"] == "none"
    assert api.asked["responses"]["target_s"] == "600.0"


def test_days_ago_begin_at_midnight_of_the_reports_calendar(api: Api, tmp_path: Path) -> None:
    assert run(api, tmp_path, "--from", "3d", "--zone", "America/New_York", "-o", str(tmp_path / "page.html")).exit_code == 0
    start = datetime.fromisoformat(api.asked["ewom"]["from"])
    assert start.minute == start.second == 0
    assert start.hour in {4, 5}
    assert api.asked["ewom"]["compare"] == "true"


def test_what_cannot_be_is_said_in_a_sentence(api: Api, tmp_path: Path) -> None:
    zone = run(api, tmp_path, "--zone", "Mars/Olympus")
    assert (zone.exit_code, "is no time zone" in zone.output) == (2, True)
    place = run(api, tmp_path, "-o", str(tmp_path / "absent" / "page.html"))
    assert (place.exit_code, "cannot be written" in place.output) == (2, True)
    del api.reports["guard"]
    refused = run(api, tmp_path, "-o", str(tmp_path / "page.html"))
    assert (refused.exit_code, "no such brand" in refused.output) == (2, True)
    assert not (tmp_path / "page.html").exists()

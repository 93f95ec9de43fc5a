"""A real Prometheus scrapes the running line; every query of every dashboard means something to it."""

import json
import math
import re
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from antiphon_local.errors import SetupError
from antiphon_local.prometheus import NAMESPACE, Programs, Prometheus, find_programs
from antiphon_local.settings import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

SCRAPE_S = 2.0
"""Also the longest that a scrape may take; on two cores that are busy a process answers within a second as a rule."""

BOARDS = ("engineers", "marketers")

GRAFANA = {
    "$__rate_interval": "5m",
    "$__range": "5m",
    "$namespace": NAMESPACE,
    "$job": ".*",
    "$instance": ".*",
    "$platform": ".*",
}
"""What Grafana puts in before it asks."""

RARE = {
    "Outcomes that never came",
    "Statement to hold, 24 h",
    "Dead letters by reason, 1 h",
    "Requests that failed",
}
"""Panels that are rightly empty on a line where nothing goes wrong, or to whose API nobody calls."""

_METRIC = re.compile(r"\b(?:antiphon|process)_\w+|\bup\b")
_BY_PATTERN = re.compile(r'__name__=~"([^"]+)"')


@pytest.fixture(scope="module")
def programs() -> Programs:
    try:
        return find_programs()
    except SetupError as error:
        pytest.skip(f"no Prometheus here: {error.problem}")


@pytest.fixture(scope="module")
def prometheus(stage, programs, tmp_path_factory) -> Iterator[Prometheus]:
    """Prometheus, after it has seen the line at rest and at work."""
    directory = tmp_path_factory.mktemp("prometheus")
    with Prometheus(directory, stage.line.scraped(), programs, scrape_s=SCRAPE_S) as running:
        wait_until_scraped(running)
        for round_number in range(2):
            work(stage, round_number)
            wait_until_scraped(running)
        yield running


def work(stage, round_number: int) -> None:
    """Let things happen that the dashboards show."""
    for number in range(8):
        person = f"person-{round_number}-{number}"
        stage.comment("How much is a seat to Rome?", author=person)
        stage.comment("my flight was cancelled!!", author=person, platform="instagram")
    stage.comment("you lost my bag", author="the-same-person")  # the second time its rule's limit holds it back
    stage.comment("Earn money fast, click my profile", author=f"bot-{round_number}")
    stage.comment("I am a journalist with a question", author=f"press-{round_number}")
    for path in ("/v1/brands", "/v1/sources", "/v1/deliveries?brand=demo", "/v1/reports/summary?brand=demo"):
        stage.api.call("GET", path)
    stage.settled()


def wait_until_scraped(prometheus: Prometheus) -> None:
    """Return once every process was scraped twice from now on."""
    begun = time.time()
    deadline = time.monotonic() + 60
    while not (found := ask(prometheus, "timestamp(up)")) or min(value(one) for one in found) < begun + 2 * SCRAPE_S:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def ask(prometheus: Prometheus, query: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{prometheus.address}/api/v1/query", params={"query": query}, timeout=30, trust_env=False)
    assert answer.status_code == 200, f"{query}\n{answer.text}"
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return found


def value(sample: dict[str, Any]) -> float:
    return float(sample["value"][1])


def panels(board: str) -> Iterator[tuple[str, str]]:
    """Yield (title, query) of a dashboard as Grafana would ask it."""
    document = json.loads((ROOT / "deploy" / "grafana" / f"{board}.json").read_text())
    for panel in document["panels"]:
        for target in panel.get("targets", ()):
            query = target["expr"]
            for name, stands_for in GRAFANA.items():
                query = query.replace(name, stands_for)
            assert "$" not in query, query
            yield panel["title"], query


@pytest.mark.parametrize("board", BOARDS)
def test_every_query_is_understood_and_answered(prometheus, board) -> None:
    answered = {title: False for title, _ in panels(board)}
    for title, query in panels(board):
        answered[title] |= any(not math.isnan(value(one)) for one in ask(prometheus, query))
    assert {title for title, well in answered.items() if not well} <= RARE


@pytest.mark.parametrize("board", BOARDS)
def test_every_metric_that_is_asked_for_is_there(prometheus, board) -> None:
    names = httpx.get(f"{prometheus.address}/api/v1/label/__name__/values", trust_env=False).json()["data"]
    for title, query in panels(board):
        for pattern in _BY_PATTERN.findall(query):
            assert any(re.fullmatch(pattern, name) for name in names), (title, pattern)
        missing = set(_METRIC.findall(_BY_PATTERN.sub("", query))) - set(names)
        assert not missing, (title, missing)


def test_nothing_is_down_and_nothing_is_answered_twice(prometheus, stage) -> None:
    queries = dict(panels("engineers"))
    assert {value(one) for one in ask(prometheus, queries["Processes down"])} == {0}
    assert {value(one) for one in ask(prometheus, queries["Answered twice"])} == {0}
    assert len(ask(prometheus, "up == 1")) == len(stage.line.scraped())


def test_what_prometheus_counted_is_what_the_line_did(prometheus, stage) -> None:
    tally = stage.settled()
    wait_until_scraped(prometheus)
    assert value(ask(prometheus, "sum(antiphon_metrics_events_total)")[0]) == len(tally.events)
    assert value(ask(prometheus, "sum(antiphon_rules_decisions_total)")[0]) == len(tally.decisions)
    assert value(ask(prometheus, 'sum(antiphon_metrics_deliveries_total{state="posted"})')[0]) == tally.fates()["posted"]
    assert value(ask(prometheus, "sum(antiphon_rules_records_lag)")[0]) == 0


def test_a_report_is_written_from_the_running_line(stage, tmp_path) -> None:
    page = tmp_path / "report.html"
    stage.command("report", "--from", "2h", "-o", page)
    text = page.read_text()
    assert "<h1>Demo Air, " in text
    assert "From seen to creating" in text
    assert "Who answered" in text


def test_a_process_that_is_gone_shows_as_down(prometheus, stage, wait) -> None:
    queries = dict(panels("engineers"))
    stage.line.processes["historian"].stop()
    wait(lambda: value(ask(prometheus, queries["Processes down"])[0]) == 1, 30)
    assert "historian" in {one["metric"]["job"] for one in ask(prometheus, "up == 0")}
    stage.line.restart("historian")
    wait(lambda: value(ask(prometheus, queries["Processes down"])[0]) == 0, 30)


def test_every_process_writes_what_promtool_finds_in_order(stage, programs) -> None:
    for role, address in stage.line.scraped().items():
        text = httpx.get(f"http://{address}/metrics", trust_env=False).content
        done = subprocess.run([programs.promtool, "check", "metrics"], input=text, capture_output=True, check=False)
        assert done.returncode == 0, f"{role}: {done.stdout.decode()}{done.stderr.decode()}"

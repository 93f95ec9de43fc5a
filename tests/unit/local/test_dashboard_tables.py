"""Dashboards say what they show, where it ends being well, and what to do then."""

import importlib.util
import json
import re
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from antiphon_local.settings import ROOT

FOLDER = ROOT / "deploy" / "grafana"


def load_builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("grafana_build", FOLDER / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def build() -> ModuleType:
    return load_builder()


@pytest.fixture(params=["engineers", "marketers"])
def board(request: pytest.FixtureRequest) -> dict[str, Any]:
    return json.loads((FOLDER / f"{request.param}.json").read_text())


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def test_the_dashboards_are_those_of_the_tables(build: ModuleType) -> None:
    for table in build.TABLES:
        assert json.loads(table.with_suffix(".json").read_text()) == build.dashboard(build.load(table))


def test_grafana_can_import_it(board: dict[str, Any]) -> None:
    assert board["uid"]
    assert board["schemaVersion"] >= 39
    assert board["templating"]["list"][0]["type"] == "datasource"
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in panels(board):
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        references = [target["refId"] for target in panel["targets"]]
        assert references == sorted(set(references))


def test_every_panel_is_explained_and_has_a_unit(board: dict[str, Any]) -> None:
    for panel in panels(board):
        assert len(panel["description"]) > 15, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert all(target["legendFormat"] for target in panel["targets"]), panel["title"]
    titles = [panel["title"] for panel in panels(board)]
    assert len(set(titles)) == len(titles)


def test_every_panel_that_can_turn_red_says_what_to_do(board: dict[str, Any]) -> None:
    for panel in panels(board):
        red = any(step["color"] == "red" for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"])
        assert red == ("**When it is red:**" in panel["description"]), panel["title"]


def selectors(query: str) -> list[str]:
    """Return the braces behind every metric of a query, "" where there are none."""
    return re.findall(r"(?:\b(?:antiphon_|process_)[\w<>]+|\bup\b|(?=\{__name__))(\{[^}]*\})?", query)


def test_every_query_is_about_the_installation_that_was_chosen(board: dict[str, Any]) -> None:
    chosen = next(one for one in board["templating"]["list"] if one["name"] == "namespace")
    assert chosen["allValue"] == ".*", "also what is scraped without the label"
    queries = [target["expr"] for panel in panels(board) for target in panel["targets"]]
    queries += [one["query"]["query"] for one in board["templating"]["list"][2:]]
    for query in queries:
        assert selectors(query), query
        assert all('namespace=~"$namespace"' in selector for selector in selectors(query)), query


def test_what_every_replica_shows_alike_is_counted_once_for_each_installation(board: dict[str, Any]) -> None:
    queries = [target["expr"] for panel in panels(board) for target in panel["targets"]]
    shared = r"antiphon_(publisher_parked|publisher_waiting_approval|rules_outbox_pending|metrics_holds_active)\b"
    for query in queries:
        if re.search(shared, query):
            assert re.match(r"sum\(max by \(namespace[,)]", query), query


def test_panels_stand_beside_each_other(board: dict[str, Any]) -> None:
    places = [panel["gridPos"] for panel in board["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below


def written(path: Path, panel: str) -> Path:
    """Return a table with one panel."""
    path.write_text(f"{{uid: u, title: t, about: a, hours: 1, other: o, rows: [{{title: r, panels: [{panel}]}}]}}")
    return path


def test_a_limit_without_a_word_on_what_to_do_is_refused(build: ModuleType, tmp_path: Path) -> None:
    table = written(tmp_path / "board.yaml", "{title: Lag, meaning: m, bad: 1, queries: [{query: up}]}")
    with pytest.raises(ValueError, match="Lag: `bad` and `do` come together"):
        build.load(table)


def test_a_word_that_no_panel_has_is_refused(build: ModuleType, tmp_path: Path) -> None:
    table = written(tmp_path / "board.yaml", "{title: Lag, colour: red, queries: []}")
    with pytest.raises(TypeError, match="colour"):
        build.load(table)

"""Write Grafana's dashboards from their tables: `marketers.yaml` → `marketers.json`, `engineers.yaml` → `engineers.json`.

A table says what a panel shows (title, unit, meaning, queries), from where on it is not well, and what to do then; how a panel
looks is said here, once. `--check` writes nothing and fails when something is stale.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_HERE = Path(__file__).resolve().parent
TABLES = tuple(sorted(_HERE.glob("*.yaml")))

_SCHEMA = 39
"""Of Grafana 11, which later releases read and bring up to their own."""

_COLUMNS = 24
"""Of Grafana's grid."""

_SIZES = {"stat": (4, 4), "timeseries": (8, 8), "bars": (8, 8)}
"""Width and height of a panel of each kind, in columns and grid rows, where its table says nothing else."""

_TYPES = {"stat": "stat", "timeseries": "timeseries", "bars": "bargauge"}

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}

_COLOURS = ("green", "orange", "red")


@dataclass(frozen=True, kw_only=True)
class Query:
    """PromQL. `each`: once for each of these words in the place of `<each>`."""

    query: str
    legend: str = ""
    each: Sequence[str] = ()

    def expanded(self) -> Iterator[tuple[str, str]]:
        """Yield (expression, legend)."""
        expression = " ".join(self.query.split())
        for word in self.each or ("",):
            yield expression.replace("<each>", word), self.legend.replace("<each>", word)


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One entry of a table. `warn` and `bad`: from here on orange and red; `do`: what to do then."""

    title: str
    meaning: str
    queries: Sequence[Query]
    kind: str = "timeseries"
    unit: str = "short"
    warn: float | None = None
    bad: float | None = None
    do: str = ""
    stacked: bool = False
    width: int = 0
    decimals: int | None = None
    top: float | None = None

    def __post_init__(self) -> None:
        """Refuse a limit without a word on what to do when it is passed."""
        if (self.bad is None) != (not self.do):
            raise ValueError(f"{self.title}: `bad` and `do` come together: a red panel must say what to do")


@dataclass(frozen=True, kw_only=True)
class Board:
    """One table."""

    uid: str
    title: str
    about: str
    hours: int
    other: str
    variables: Sequence[dict[str, str]] = ()
    rows: Sequence[tuple[str, Sequence[Panel]]] = field(default_factory=tuple)


def load(path: Path) -> Board:
    """Return a table. Raises TypeError or ValueError for an entry that is not understood."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    rows = [(row["title"], [_panel(entry) for entry in row["panels"]]) for row in document.pop("rows")]
    return Board(**document, rows=rows)


def _panel(entry: dict[str, Any]) -> Panel:
    queries = [Query(**query) for query in entry.pop("queries")]
    return Panel(**entry, queries=queries)


def dashboard(board: Board) -> dict[str, Any]:
    """Return a dashboard as Grafana imports it."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.about,
        "tags": ["antiphon"],
        "schemaVersion": _SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": f"now-{board.hours}h", "to": "now"},
        "annotations": {"list": []},
        "links": [
            {
                "type": "link",
                "title": board.other.replace("-", " ").capitalize(),
                "url": f"/d/{board.other}",
                "keepTime": True,
                "icon": "dashboard",
            }
        ],
        "templating": {"list": [_datasource(), *(_variable(**each) for each in board.variables)]},
        "panels": list(_placed(board.rows)),
    }


def _datasource() -> dict[str, Any]:
    return {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus", "hide": 0, "refresh": 1}


def _variable(name: str, label: str, query: str, every: str = "") -> dict[str, Any]:
    """Return a choice of values. `every`: what "All" stands for, where that is more than all values that there are."""
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": _SOURCE,
        "definition": query,
        "query": {"query": query, "refId": "variable"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        **({"allValue": every} if every else {}),
    }


def _placed(rows: Sequence[tuple[str, Sequence[Panel]]]) -> Iterator[dict[str, Any]]:
    """Yield rows and panels from left to right, from top to bottom."""
    number, top = 0, 0
    for title, panels in rows:
        number += 1
        place = {"x": 0, "y": top, "w": _COLUMNS, "h": 1}
        yield {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}
        top, left, tallest = top + 1, 0, 0
        for panel in panels:
            width, height = panel.width or _SIZES[panel.kind][0], _SIZES[panel.kind][1]
            if left + width > _COLUMNS:
                top, left, tallest = top + tallest, 0, 0
            number += 1
            yield {"id": number, "gridPos": {"x": left, "y": top, "w": width, "h": height}, **_drawn(panel)}
            left, tallest = left + width, max(tallest, height)
        top += tallest


def _drawn(panel: Panel) -> dict[str, Any]:
    return {
        "type": _TYPES[panel.kind],
        "title": panel.title,
        "description": panel.meaning + (f"\n\n**When it is red:** {panel.do}" if panel.do else ""),
        "datasource": _SOURCE,
        "targets": list(_targets(panel)),
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
    }


def _targets(panel: Panel) -> Iterator[dict[str, Any]]:
    expanded = [pair for query in panel.queries for pair in query.expanded()]
    instant = panel.kind == "bars"
    for place, (expression, legend) in enumerate(expanded):
        yield {
            "refId": chr(ord("A") + place),
            "datasource": _SOURCE,
            "editorMode": "code",
            "expr": expression,
            "legendFormat": legend or panel.title,
            "instant": instant,
            "range": not instant,
        }


def _defaults(panel: Panel) -> dict[str, Any]:
    limits = (None, panel.warn, panel.bad)
    steps = [
        {"color": colour, "value": limit}
        for colour, limit in zip(_COLOURS, limits, strict=True)
        if colour == _COLOURS[0] or limit is not None
    ]
    found: dict[str, Any] = {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.top is not None:
        found["max"] = panel.top
    if panel.decimals is not None:
        found["decimals"] = panel.decimals
    if panel.kind == "timeseries":
        found["color"] = {"mode": "palette-classic"}
        found["custom"] = {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 40 if panel.stacked else 8,
            "showPoints": "never",
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if panel.bad is not None else "off"},
        }
    else:
        found["color"] = {"mode": "thresholds"} if panel.kind == "stat" else {"mode": "fixed", "fixedColor": "blue"}
    return found


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "timeseries":
        return {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    reduced: dict[str, Any] = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    if panel.kind == "stat":
        graph = "none" if panel.unit == "percentunit" else "area"
        return {
            **reduced,
            "colorMode": "value",
            "graphMode": graph,
            "justifyMode": "auto",
            "orientation": "auto",
            "textMode": "value",
        }
    return {**reduced, "displayMode": "basic", "orientation": "horizontal", "showUnfilled": True, "valueMode": "color"}


def main() -> int:
    """Write or check; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only tell whether everything is fresh")
    check = parser.parse_args().check
    stale = False
    for table in TABLES:
        path, text = table.with_suffix(".json"), json.dumps(dashboard(load(table)), indent=1, ensure_ascii=False) + "\n"
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale = True
        if check:
            print(f"{path.relative_to(_HERE.parent.parent)} is stale: make dashboards", file=sys.stderr)
        else:
            path.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())

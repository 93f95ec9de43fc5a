"""Reports as CSV: one row for each figure, so that every report has the same six columns and any spreadsheet can pivot them."""

import csv
import io
from collections.abc import Iterator
from typing import Any

HEADER = ("report", "brand", "from", "to", "part", "figure", "value")

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet run a cell instead of showing it (OWASP, CSV injection)."""

_ABOUT = frozenset({"brand", "from", "to", "timezone", "granularity", "series", "before"})


def table(name: str, report: dict[str, Any]) -> str:
    """Return a report as CSV. `part` is total, point or before; `figure` is the path in the JSON document."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(HEADER)
    about = [name, report["brand"] or "*"]
    total = {key: value for key, value in report.items() if key not in _ABOUT}
    groups = [("total", report, total), *(("point", point, _figures(point)) for point in report["series"])]
    if report["before"]:
        groups.append(("before", report["before"], _figures(report["before"])))
    for part, span, figures in groups:
        for figure, value in _flat(figures, ""):
            writer.writerow([safe(cell) for cell in (*about, span["from"], span["to"], part, figure, value)])
    return written.getvalue()


def safe(cell: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula; numbers stay numbers."""
    if isinstance(cell, bool):
        return str(cell).lower()
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _figures(point: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in point.items() if key not in _ABOUT}


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _flat(inner, f"{path}.{key}" if path else str(key))
        case list():
            for position, inner in enumerate(value):
                yield from _flat(inner, f"{path}.{position}")
        case None:
            yield path, ""
        case _:
            yield path, value

"""The sections of a report, each from what the API says: `section(reports)` → `Section`."""

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]
"""A part of a report as the API gives it; `docs/openapi/metrics.json` describes it."""

Reports = Mapping[str, Json]
"""Name → the report with its total, its series and the period before."""


def total(report: Json) -> Json:
    """Return the figures of the whole period."""
    found: Json = report["total"]
    return found


def before(report: Json) -> Json | None:
    """Return the figures of the period before; None where nobody asked for them."""
    found: Json | None = report.get("before")
    return found["total"] if found else None

"""The documents that the API answers with; their descriptions are the definitions that readers see."""

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from metrics.domain.reports.ewom import Ewom
from metrics.domain.reports.summary import Summary
from metrics.reporting import Cascades, Query, Reported

_BEFORE = "the same for the period of equal length right before; null unless asked for"

Counts = Annotated[dict[str, int], Field(description="word → count; words that do not occur are absent")]
Share = Annotated[float | None, Field(ge=0, description="a part of 1; null when there is nothing to divide by")]
Milliseconds = Annotated[int | None, Field(ge=0, description="milliseconds; null without measurements")]


class _Part(BaseModel):
    model_config = ConfigDict(from_attributes=True, frozen=True)


class Events(_Part):
    """Events by their time on the platform, each once however often it was delivered."""

    total: int
    by_platform: Counts
    by_kind: Counts
    by_verb: Counts
    echoes: int = Field(description="events by the brand's own account")


class Decisions(_Part):
    """Decisions on these events, one each; of several decisions on one event the first recorded counts."""

    total: int
    by_outcome: Counts
    by_reason: Counts = Field(description="reason of the whole event; `none`: there was none to give")
    by_rule_reason: Counts = Field(description="what became of each rule that matched by place and text; `acted`: it acted")


class Actions(_Part):
    """Actions that were decided."""

    total: int
    by_kind: Counts
    by_mode: Counts


class Deliveries(_Part):
    """Actions by the state that their latest delivery tells; an action without any delivery yet is not among them."""

    total: int
    by_state: Counts
    reasons_by_state: dict[str, Counts] = Field(description="state → reason → count; `none`: there was none to give")


class Response(_Part):
    """Which share of the people was answered by this platform's replies."""

    answerable: int = Field(
        description="new comments, replies, mentions, messages, reviews, posts and story mentions that are not the brand's own"
    )
    answered: int = Field(description="events with at least one posted reply or private reply")
    rate: Share = Field(description="answered / answerable")


class Automation(_Part):
    """Effects posted on a platform, with and without a person's approval."""

    auto: int
    approved: int
    share: Share = Field(description="auto / (auto + approved)")


class Percentiles(_Part):
    """Exact percentiles by nearest rank; where a platform's clock runs ahead a measurement counts as 0."""

    count: int = Field(description="measurements")
    p50: Milliseconds
    p95: Milliseconds
    p99: Milliseconds


class Latencies(_Part):
    """Latencies in milliseconds."""

    platform_to_posted: Percentiles = Field(description="time on the platform → effect posted there, once for each action")
    received_to_decided: Percentiles = Field(description="reception → decision")


class SummaryTotals(_Part):
    """Totals of a period."""

    events: Events
    decisions: Decisions
    actions: Actions
    deliveries: Deliveries
    response: Response
    automation: Automation
    latency_ms: Latencies
    lost: int = Field(description="events that have had no decision for longer than `lost_grace_seconds`; must be 0")
    parked: int = Field(description="actions whose outcome on the platform is unknown; they wait for a person")
    waiting: int = Field(description="actions that wait for a person's approval")


class Period(_Part):
    """A span of event times."""

    start: datetime = Field(serialization_alias="from", description="event times from here on")
    end: datetime = Field(serialization_alias="to", description="event times before this moment")


class SummaryPoint(SummaryTotals, Period):
    """Totals of a part of the period, or of the period before."""


class Asked(Period):
    """What was asked for."""

    brand: str | None = Field(description="null: every brand that the key may see")
    timezone: str = Field(description="IANA zone whose calendar cuts the series")
    granularity: str = Field(description="none, hour, day, week or month")


class SummaryReport(SummaryTotals, Asked):
    """Totals of a period, rebuilt from single facts: a repeated delivery never changes them.

    How often facts arrived again is known for each process alone: the Prometheus counter `antiphon_metrics_duplicates_total`.
    """

    lost_grace_seconds: float
    series: list[SummaryPoint] = Field(description="the same totals for each hour, day, week or month")
    before: SummaryPoint | None = Field(description=_BEFORE)


B = TypeVar("B")


class PointOf(Period, Generic[B]):
    """The figures of a part of the period, or of the period before."""

    total: B


class ReportOf(Asked, Generic[B]):
    """A report, rebuilt from single facts: a repeated delivery never changes it."""

    total: B
    series: list[PointOf[B]] = Field(description="the same figures for each hour, day, week or month")
    before: PointOf[B] | None = Field(description=_BEFORE)


class CascadeShape(_Part):
    """A tree of replies and shares, over all its time. Deleted nodes still connect and are not counted."""

    brand: str
    root: str = Field(description="the post or conversation, by the platform's id")
    platform: str
    size: int = Field(description="live nodes, the root included")
    depth: int = Field(description="the longest way from the root, in steps")
    breadth: int = Field(description="the most live nodes on one level")
    virality: float | None = Field(
        description="structural virality: mean distance over all pairs of live nodes (Goel et al. 2016); null below two nodes"
    )
    waiting: int = Field(description="nodes whose parent has not been delivered; in no other figure")


class CascadeList(_Part):
    """The largest trees with something new in the period."""

    largest: list[CascadeShape]
    pending_hours: int = Field(description="hours of the period that are not in the trees yet; 0: the shapes are complete")


class EwomReport(ReportOf[Ewom]):
    """Word of mouth, with the largest cascades."""

    cascades: CascadeList


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is outside the calendar") from error


def _with_date_and_time(value: object) -> object:
    # A bare number would pass for seconds since 1970, a bare date for its midnight: neither is what was documented.
    if isinstance(value, str) and "T" not in value.upper():
        raise ValueError("must be RFC 3339: date, T, time and offset")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_with_date_and_time), AfterValidator(_in_utc)]
"""A moment in a query, RFC 3339 with an offset; becomes UTC."""


def asked(query: Query, brand: str | None) -> dict[str, Any]:
    """Return the fields that say what was asked for."""
    scope = query.scope
    return {
        "brand": brand, "start": scope.start, "end": scope.end, "timezone": query.zone.key, "granularity": query.granularity,
    }  # fmt: skip


def parts(found: Reported[Any]) -> dict[str, Any]:
    """Return total, series and the period before."""
    before = found.before
    return {
        "total": found.total,
        "series": [{"start": point.span.start, "end": point.span.end, "total": point.body} for point in found.series],
        "before": {"start": before.span.start, "end": before.span.end, "total": before.body} if before else None,
    }


def summary_report(found: Reported[Summary], query: Query, *, brand: str | None, lost_grace_s: float) -> SummaryReport:
    """Return the document for a summary."""
    points = [SummaryPoint(start=point.span.start, end=point.span.end, **_fields(point.body)) for point in found.series]
    before = found.before
    return SummaryReport(
        **asked(query, brand),
        **_fields(found.total),
        lost_grace_seconds=lost_grace_s,
        series=points,
        before=SummaryPoint(start=before.span.start, end=before.span.end, **_fields(before.body)) if before else None,
    )


def cascade_list(found: Cascades) -> CascadeList:
    """Return the document for the largest cascades."""
    return CascadeList(largest=[CascadeShape.model_validate(tree) for tree in found.trees], pending_hours=found.pending_hours)


def _fields(summary: Summary) -> dict[str, Any]:
    return {name: getattr(summary, name) for name in Summary.__dataclass_fields__}

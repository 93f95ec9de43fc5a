"""The documents that the API answers with; their descriptions are the definitions that readers see."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from metrics.domain.counts import Scope
from metrics.domain.summary import Summary

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


class Latency(_Part):
    """Exact percentiles by nearest rank; where a platform's clock runs ahead a measurement counts as 0."""

    count: int = Field(description="measurements")
    p50: Milliseconds
    p95: Milliseconds
    p99: Milliseconds


class Latencies(_Part):
    """Latencies in milliseconds."""

    platform_to_posted: Latency = Field(description="time on the platform → effect posted there, once for each action")
    received_to_decided: Latency = Field(description="reception → decision")


class SummaryReport(_Part):
    """Totals of a period, rebuilt from single facts at each request: a repeated delivery never changes them.

    How often facts arrived again is known for each process alone: the Prometheus counter `antiphon_metrics_duplicates_total`.
    """

    brand: str | None = Field(description="null: every brand that the key may see")
    start: datetime = Field(serialization_alias="from", description="event times from here on")
    end: datetime = Field(serialization_alias="to", description="event times before this moment")
    events: Events
    decisions: Decisions
    actions: Actions
    deliveries: Deliveries
    response: Response
    automation: Automation
    latency_ms: Latencies
    lost: int = Field(description="events that have had no decision for longer than `lost_grace_seconds`; must be 0")
    lost_grace_seconds: float
    parked: int = Field(description="actions whose outcome on the platform is unknown; they wait for a person")
    waiting: int = Field(description="actions that wait for a person's approval")


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


def report(summary: Summary, scope: Scope, *, brand: str | None, lost_grace_s: float) -> SummaryReport:
    """Return the document for a summary."""
    parts = {name: getattr(summary, name) for name in Summary.__dataclass_fields__}
    return SummaryReport(brand=brand, start=scope.start, end=scope.end, lost_grace_seconds=lost_grace_s, **parts)

"""Routes of what was decided: a brand's decisions newest first, as they come, and one by one."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict

from antiphon.problems import Problem
from antiphon.waiting import is_waiting
from rules.adapters.http.bodies import MAX_BODY_BYTES, BrandViewer, Limit, Out, StrictRoute
from rules.adapters.http.understood import UnderstandingOut, understanding_out
from rules.domain.decision import Decision, Outcome, Reason
from rules.domain.event import Event
from rules.history import After, Before, HistoryService, Wanted
from rules.ports import Recorded

MAX_WAIT_SECONDS = 30
"""Longer, and proxies take the connection for dead."""

_OBJECT = "the platform's id of a comment, message, review …; without `wait`, as long as its making is recorded"

_OLDER, _NEWER = "older", "newer"
"""Which way a cursor leads."""

EventId = Annotated[str, Path(pattern=r"^[!-~]{1,128}$", description="as events and decisions name it")]


class Author(BaseModel):
    """Who wrote it."""

    id: str
    name: str
    handle: str


class RuleOut(BaseModel):
    """A rule that matched; `reason` "acted", or why it did not act."""

    model_config = ConfigDict(json_schema_extra={"title": "DecidedRule"})

    rule_id: str
    version: int
    reason: str
    detail: str


class EntryOut(Out):
    """What a campaign was to take in; `reason` "": it is eligible."""

    eligible: bool
    reason: str
    detail: str
    trigger: str


class ConsentOut(Out):
    """How the words read as an answer to a campaign's request for rights."""

    campaign: str
    answer: str
    phrase: str


class ActionOut(BaseModel):
    """What was to be done."""

    action_id: str
    rule_id: str
    kind: str
    mode: str
    text: str
    not_before: datetime
    expires: datetime
    tags: tuple[str, ...]
    queue: str
    url: str
    campaign: str
    entry: EntryOut | None


class DecisionOut(BaseModel):
    """A decision with its event. `text` null: the archive has the decision and not (yet) the event."""

    event_id: str
    time: datetime
    received_time: datetime
    decided_time: datetime
    platform: str
    channel: str
    kind: str
    verb: str
    object: str
    root: str
    author: Author
    text: str | None
    echo: bool
    outcome: Outcome
    reason: str
    understanding: UnderstandingOut
    cobra: str
    rules: list[RuleOut]
    actions: list[ActionOut]
    topics: tuple[str, ...]
    campaigns: tuple[str, ...]
    consents: list[ConsentOut]
    revision: int


class Decisions(BaseModel):
    """A page of decisions.

    Newest first: `next` leads to older ones and is null on the last page. Asked with `wait`, in the order of arrival: `next`
    leads to what comes then, and is never null. A page may hold fewer than `limit`, even none, and still have a `next`.
    """

    items: list[DecisionOut]
    next: str | None


Word = Annotated[str, Query(max_length=64, pattern=r"^[a-z0-9_-]*$")]
Time = Annotated[AwareDatetime | None, Query(description="by the time of receipt")]
Cursor = Annotated[
    str, Query(max_length=4000, pattern=r"^[A-Za-z0-9_=-]*$", description="`next` of the answer before; empty: begin")
]
Wait = Annotated[
    float | None,
    Query(
        ge=0, le=MAX_WAIT_SECONDS, description="follow: wait so many seconds for the first decision that comes after the cursor"
    ),
]


def decision_routes(history: HistoryService) -> APIRouter:
    """Return the routes."""
    router = APIRouter(
        prefix="/v1/brands/{brand}/decisions", route_class=StrictRoute, max_body_size=MAX_BODY_BYTES, tags=["decisions"]
    )

    @router.get("")
    async def list_decisions(
        request: Request,
        scope: BrandViewer,
        object: Annotated[str, Query(max_length=512, description=_OBJECT)] = "",  # noqa: A002 (the parameter's name)
        rule: Annotated[str, Query(max_length=63)] = "",
        outcome: Outcome | None = None,
        reason: Reason | None = None,
        author: Annotated[str, Query(max_length=256, description="the platform's id of the author")] = "",
        since: Time = None,
        until: Time = None,
        after: Cursor = "",
        wait: Wait = None,
        limit: Limit = 50,
    ) -> Decisions:
        wanted = Wanted(
            object=object,
            rule=rule,
            outcome=outcome or "",
            reason=reason or "",
            author=author,
            since=since.timestamp() if since else None,
            until=until.timestamp() if until else None,
        )
        place = _place(after)
        if wait is None and not isinstance(place, After):
            return await _listed(history, scope.brand, wanted, place, limit)
        if isinstance(place, Before):
            raise Problem(422, "invalid", "This cursor leads to older decisions; `wait` takes one that an answer to `wait` gave.")
        growth = await history.follow(scope.brand, wanted, place, limit, wait=wait or 0.0, waiting=lambda: is_waiting(request))
        return Decisions(items=[decision_out(found) for found in growth.items], next=_cursor(growth.next))

    @router.get("/{event_id}")
    async def read_decision(scope: BrandViewer, event_id: EventId) -> DecisionOut:
        return decision_out(await history.decision(scope.brand, event_id))

    return router


async def _listed(history: HistoryService, brand: str, wanted: Wanted, before: Before | None, limit: int) -> Decisions:
    listing = await history.decisions(brand, wanted, before, limit)
    return Decisions(items=[decision_out(found) for found in listing.items], next=_cursor(listing.next) if listing.next else None)


def _cursor(place: Before | After) -> str:
    plain: list[Any]
    if isinstance(place, Before):
        plain = [_OLDER, place.received_time, place.event_id]
    else:
        plain = [_NEWER, place.stored, dict(place.lanes)]
    return base64.urlsafe_b64encode(orjson.dumps(plain)).decode()


def _place(cursor: str) -> Before | After | None:
    if not cursor:
        return None
    try:
        direction, time, rest = orjson.loads(base64.urlsafe_b64decode(cursor))
        if direction == _OLDER:
            return Before(float(time), str(rest))
        return After(float(time), {str(lane): int(last) for lane, last in rest.items()})
    except (ValueError, TypeError, AttributeError, binascii.Error) as error:
        raise Problem(422, "invalid", "The cursor is none that this API gave.") from error


def decision_out(recorded: Recorded) -> DecisionOut:
    """Return a decision as it is answered."""
    decision, event = recorded.decision, recorded.decision.event
    return DecisionOut(
        event_id=event.event_id,
        time=_moment(event.event_time),
        received_time=_moment(event.received_time),
        decided_time=_moment(recorded.decided_time),
        platform=event.platform,
        channel=event.channel,
        kind=event.kind,
        verb=event.verb,
        object=event.object,
        root=event.root,
        author=_author(event),
        text=event.text if recorded.whole else None,
        echo=event.echo,
        outcome=decision.outcome,
        reason="" if decision.reason is Reason.UNSPECIFIED else decision.reason,
        understanding=understanding_out(decision.understanding),
        cobra=decision.cobra,
        rules=_rules(decision),
        actions=_actions(decision),
        topics=decision.topics,
        campaigns=decision.campaigns,
        consents=[ConsentOut.model_validate(heard) for heard in decision.consents],
        revision=decision.config_revision,
    )


def _author(event: Event) -> Author:
    return Author(id=event.author_id, name=event.author_name, handle=event.author_handle)


def _rules(decision: Decision) -> list[RuleOut]:
    return [
        RuleOut(
            rule_id=rule.rule_id,
            version=rule.rule_version,
            reason="acted" if rule.reason is Reason.UNSPECIFIED else rule.reason,
            detail=rule.detail,
        )
        for rule in decision.rules
    ]


def _actions(decision: Decision) -> list[ActionOut]:
    return [
        ActionOut(
            action_id=action.action_id,
            rule_id=action.rule_id,
            kind=action.kind,
            mode=action.mode,
            text=action.text,
            not_before=_moment(action.not_before),
            expires=_moment(action.expires),
            tags=action.tags,
            queue=action.queue,
            url=action.url,
            campaign=action.campaign,
            entry=EntryOut.model_validate(action.entry) if action.entry is not None else None,
        )
        for action in decision.actions
    ]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

"""What the API takes and shows. Secrets go in and never come out."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, SecretStr

from publisher.domain.admission import BrandPolicy, expiry, held
from publisher.domain.model import Entry, Mode, State
from publisher.ports import Channel, Happening

SLUG = r"^[a-z0-9][a-z0-9-]{0,62}$"

Slug = Annotated[str, Field(pattern=SLUG)]
Account = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:\-]{1,128}$")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ApproveIn(_In):
    """An approval; `text` replaces the action's own."""

    text: str | None = Field(default=None, min_length=1, max_length=8_000)


class ResolveIn(_In):
    """What a look at the platform showed."""

    posted: bool


class RateIn(_In):
    """Calls a second in the long run, and at once."""

    per_second: float = Field(gt=0, le=10_000)
    burst: float = Field(ge=1, le=10_000)


class ChannelIn(_In):
    """A channel as it is stored; without `token` the stored one stays."""

    platform: Annotated[str, Field(pattern=r"^(facebook|instagram)$")]
    account: Account
    token: SecretStr | None = Field(default=None, min_length=1, max_length=4_096)
    api_url: Annotated[AnyHttpUrl | None, Field(strict=False)] = None
    rate: RateIn | None = None


class RateOut(BaseModel):
    """As `RateIn`."""

    per_second: float
    burst: float


class ChannelOut(BaseModel):
    """A channel without its secret. `credential`: missing, usable or refused by the platform."""

    brand: str
    channel: str
    platform: str
    account: str
    api_url: str | None
    rate: RateOut | None
    credential: str
    refused_time: datetime | None


class CheckOut(BaseModel):
    """What the platform calls the account."""

    ok: bool
    name: str


class HappeningOut(BaseModel):
    """One line of history."""

    time: datetime
    state: str
    reason: str
    actor: str
    epoch: int


class DeliveryOut(BaseModel):
    """One action as people see it. `waiting` says why a new one is not being sent; `text` of a notification is its body."""

    action_id: str
    brand: str
    platform: str
    account: str
    channel: str
    target: str
    root: str
    author: str
    rule_id: str
    rule_version: int
    kind: str
    mode: str
    text: str
    url: str
    state: str
    reason: str
    detail: str
    waiting: str
    platform_id: str
    attempts: int
    epoch: int
    actor: str
    event_time: datetime
    received_time: datetime
    changed_time: datetime
    not_before_time: datetime
    expires_time: datetime
    next_check_time: datetime | None
    history: list[HappeningOut] | None = None


class DeliveriesOut(BaseModel):
    """A page; `next` is null on the last, else what the next page comes after."""

    items: list[DeliveryOut]
    next: str | None


class ChannelsOut(BaseModel):
    """All channels of a brand."""

    channels: list[ChannelOut]


def moment(seconds: float) -> datetime:
    """Return unix seconds as a time in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def delivery_out(entry: Entry, policy: BrandPolicy, history: list[Happening] | None = None) -> DeliveryOut:
    """Return an entry as people see it."""
    order, at = entry.order, entry.position
    waiting = held(policy, order) if at.state is State.NEW else ""
    return DeliveryOut(
        action_id=order.action_id,
        brand=order.brand,
        platform=order.platform,
        account=order.account,
        channel=order.channel,
        target=order.target,
        root=order.root,
        author=order.author,
        rule_id=order.rule_id,
        rule_version=order.rule_version,
        kind=order.kind,
        mode=Mode(order.mode),
        text=at.text,
        url=order.url,
        state=at.state,
        reason="held" if waiting else at.reason,
        detail=at.detail,
        waiting=waiting,
        platform_id=at.platform_id,
        attempts=at.attempts,
        epoch=at.epoch,
        actor=at.actor,
        event_time=moment(order.event_time),
        received_time=moment(order.received_time),
        changed_time=moment(at.changed_at),
        not_before_time=moment(max(order.not_before, at.next_at)),
        expires_time=moment(expiry(entry)),
        next_check_time=None if at.verify_at is None else moment(at.verify_at),
        history=None if history is None else [_happening(line) for line in history],
    )


def _happening(line: Happening) -> HappeningOut:
    return HappeningOut(time=moment(line.at), state=line.state, reason=line.reason, actor=line.actor, epoch=line.epoch)


def channel_out(channel: Channel) -> ChannelOut:
    """Return a channel without its secret."""
    usable = "refused" if channel.refused_at is not None else "usable"
    return ChannelOut(
        brand=channel.brand,
        channel=channel.channel,
        platform=channel.platform,
        account=channel.account,
        api_url=channel.api_url or None,
        rate=RateOut(per_second=channel.rate.per_second, burst=channel.rate.burst) if channel.rate else None,
        credential=usable if channel.credential.get_secret_value() else "missing",
        refused_time=None if channel.refused_at is None else moment(channel.refused_at),
    )

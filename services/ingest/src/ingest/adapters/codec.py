"""Events of the domain as records of the contract; protobuf stops here."""

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.v1 import event_pb2 as pb
from ingest.domain import Account, Event, Kind, Platform, Referral, Verb

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)

PLATFORMS = {word: pb.Platform.Value(f"PLATFORM_{word.name}") for word in Platform}
KINDS = {word: pb.EventKind.Value(f"EVENT_KIND_{word.name}") for word in Kind}
VERBS = {word: pb.Verb.Value(f"VERB_{word.name}") for word in Verb}


def encode(event: Event, account: Account, source: str, received: datetime) -> bytes:
    """Return the event as bytes of `antiphon.v1.Event`; fields with their default cost nothing.

    An echo's words stay out: nobody reads them, and they may name the person who was answered, whose record it is not.
    """
    author = event.author
    message = pb.Event(
        event_id=event.event_id,
        brand=account.brand,
        platform=PLATFORMS[event.platform],
        account=event.account,
        channel=account.channel,
        kind=KINDS[event.kind],
        verb=VERBS[event.verb],
        object=event.object,
        parent=event.parent,
        root=event.root,
        text="" if event.echo else event.text,
        reaction=event.reaction,
        ad=event.ad,
        echo=event.echo,
        source=source,
        raw=event.raw,
        campaign=event.campaign,
    )
    if author.id or author.name or author.handle:
        known = message.author
        known.id, known.name, known.handle = author.id, author.name, author.handle
    for part in event.media:
        message.media.add(type=part.type, url=part.url)
    if event.rating is not None:
        message.rating = event.rating
    if event.referral is not None:
        message.referral.CopyFrom(_referral(event.referral))
    _stamp(message.event_time, event.event_time)
    _stamp(message.received_time, received)
    return message.SerializeToString()


def _referral(referral: Referral) -> pb.Referral:
    return pb.Referral(
        link=referral.link,
        action_id=referral.action_id,
        click=referral.click,
        reference=referral.reference,
        value=referral.value,
        currency=referral.currency,
    )


def _stamp(field: Timestamp, moment: datetime) -> None:
    """Write a moment in place: cheaper than a message of its own, which would be copied."""
    seconds, rest = divmod(moment - _EPOCH, _SECOND)
    field.seconds, field.nanos = seconds, rest.microseconds * 1_000

"""Timestamps of the contract ↔ aware datetimes in UTC."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

_MICROSECOND = 1_000
"""Nanoseconds; datetimes hold no finer steps."""


def to_timestamp(moment: datetime) -> Timestamp:
    """Return the protobuf form of an aware datetime."""
    seconds, fraction = divmod(moment.timestamp() * 1_000_000, 1_000_000)
    return Timestamp(seconds=int(seconds), nanos=round(fraction) * _MICROSECOND)


def from_timestamp(stamp: Timestamp) -> datetime:
    """Return the aware datetime (UTC, microseconds)."""
    return datetime.fromtimestamp(stamp.seconds + stamp.nanos / 1e9, UTC)

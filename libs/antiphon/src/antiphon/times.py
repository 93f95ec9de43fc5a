"""Timestamps of the contract ↔ aware datetimes in UTC."""

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SECOND = timedelta(seconds=1)

_MICROSECOND = 1_000
"""Nanoseconds; datetimes hold no finer steps."""


def to_timestamp(moment: datetime) -> Timestamp:
    """Return the protobuf form of an aware datetime."""
    seconds, fraction = divmod(moment - _EPOCH, _SECOND)  # whole numbers: floats lose microseconds far from the epoch
    return Timestamp(seconds=seconds, nanos=fraction.microseconds * _MICROSECOND)


def from_timestamp(stamp: Timestamp) -> datetime:
    """Return the aware datetime (UTC, microseconds). Raises OverflowError outside the years 1 to 9999."""
    return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // _MICROSECOND)

"""Whether a schedule is open at a moment, on the wall clock of its time zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from rules.domain.model import Schedule

_DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ONE_DAY = timedelta(days=1)


def is_open(schedule: Schedule, moment: float) -> bool:
    """Return whether the schedule lets a rule act at `moment` (unix seconds)."""
    local = _local(schedule, moment)
    today = local.date()
    if not schedule.hours:
        return _is_day(schedule, today)
    minute = local.hour * 60 + local.minute
    return any(_is_inside(schedule, span, minute, today) for span in schedule.hours)


def _local(schedule: Schedule, moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC).astimezone(ZoneInfo(schedule.timezone))


def _is_inside(schedule: Schedule, span: tuple[int, int], minute: int, today: date) -> bool:
    start, end = span
    if start < end:
        return start <= minute < end and _is_day(schedule, today)
    if minute >= start:
        return _is_day(schedule, today)
    return minute < end and _is_day(schedule, today - _ONE_DAY)  # a night shift belongs to the day it began on


def _is_day(schedule: Schedule, day: date) -> bool:
    if schedule.weekdays and day.weekday() not in schedule.weekdays:
        return False
    if day in schedule.except_:
        return False
    return (schedule.from_ is None or schedule.from_ <= day) and (schedule.until is None or day <= schedule.until)


def describe(schedule: Schedule, moment: float) -> str:
    """Return the moment as the schedule sees it, for people: "Sat 2026-03-28 18:05 Europe/Berlin"."""
    local = _local(schedule, moment)
    return f"{_DAY_NAMES[local.weekday()]} {local:%Y-%m-%d %H:%M} {schedule.timezone}"

"""Values inside a rule document, as people write them: durations, days, hours, words, lists of one."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    StrictBool,
    StrictInt,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"([1-9]\d{0,6})([smhd])")
_HOURS = re.compile(r"(\d{1,2}):([0-5]\d)-(\d{1,2}):([0-5]\d)")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}")
_DAY_MINUTES = 24 * 60

LONGEST_SECONDS = 10 * 366 * 86400
"""Ten years: longer windows are "for ever" (leave `within` out)."""

Loc = tuple[str | int, ...]
Finding = tuple[Loc, str, str]
"""Where (relative to the model), a stable error type, and the words for people."""


class Part(BaseModel):
    """A part of a rule document: nothing unknown in it, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="wrap")
    @classmethod
    def _tell_known(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            faults = error.errors()
            if any(map(_is_unknown, faults)):
                known = [field.alias or name for name, field in cls.model_fields.items()]
                refuse((fault["loc"], fault["type"], _told(fault, known)) for fault in faults)
            raise


def _is_unknown(fault: Mapping[str, Any]) -> bool:
    """Tell whether it is a field of this very part that does not exist."""
    return fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1


def _told(fault: Mapping[str, Any], known: Sequence[str]) -> str:
    if not _is_unknown(fault):
        return str(fault["msg"])
    name = str(fault["loc"][0])
    meant = get_close_matches(name, known, 1)
    return f"there is no field {name!r} here; " + (f"did you mean {meant[0]!r}?" if meant else f"known are {', '.join(known)}")


def custom(kind: str, message: str) -> PydanticCustomError:
    """Return an error with a stable type; braces in the message are literal."""
    return PydanticCustomError(kind, "{message}", {"message": message})


def refuse(findings: Iterable[Finding]) -> None:
    """Raise all findings at their places below the model that is being validated; nothing when there are none."""
    errors = [InitErrorDetails(type=custom(kind, message), loc=loc, input=None) for loc, kind, message in findings]
    if errors:
        raise ValidationError.from_exception_data("rule", errors)


def seconds(duration: str) -> float:
    """Return the seconds of "90s", "15m", "24h" or "7d". Raises a validation error for anything else."""
    match = _DURATION.fullmatch(duration)
    if match is None or int(match[1]) * _SECONDS[match[2]] > LONGEST_SECONDS:
        raise custom("duration", 'a duration is a number with s, m, h or d, such as "90s", "15m", "24h" or "7d"')
    return float(int(match[1]) * _SECONDS[match[2]])


def _duration(value: str) -> str:
    seconds(value)
    return value


def delay_seconds(delay: str) -> tuple[float, float]:
    """Return shortest and longest of "30s" or "20s-90s", in seconds."""
    first, _, last = delay.partition("-")
    shortest = seconds(first.strip())
    longest = seconds(last.strip()) if last else shortest
    if longest < shortest:
        raise custom("delay", "the longest delay comes second")
    return shortest, longest


def _delay(value: str) -> str:
    delay_seconds(value)
    return value


def minutes(hours: str) -> tuple[int, int]:
    """Return the minutes of the day of "09:00-18:00"; the second is smaller when the span goes over midnight."""
    match = _HOURS.fullmatch(hours)
    if match is None:
        raise custom("hours", 'hours are written "09:00-18:00"')
    start, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    if start >= _DAY_MINUTES or end > _DAY_MINUTES or start == end:
        raise custom("hours", "hours go from 00:00 to 24:00 and may not be empty")
    return start, end


def _hours(value: str) -> str:
    minutes(value)
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise custom("timezone", 'not a time zone; write it as "Europe/Berlin"') from None
    return value


def _day(value: object) -> object:
    if isinstance(value, date | str) or value is None:
        return value
    raise custom("date", 'a day is written "2026-12-24"')


def as_list(value: object) -> object:
    """Return a single scalar as a list of one: `platforms: facebook`."""
    return [value] if isinstance(value, str | int | float) else value


def written(value: object) -> object:
    """Return a number as the word it was meant to be; YAML reads `yes` and `no` as truth values, which must be quoted."""
    if isinstance(value, bool):
        raise custom("quote", "put this word in quotes: YAML reads yes, no, on and off as true and false")
    return str(value) if isinstance(value, int | float) else value


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise custom("number", "must be a number, without quotes")
    return value


def _one_line(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise custom("text", "must be one line of visible text")
    return value


def language_tag(value: object) -> str:
    """Return a language tag in lower case. Raises a validation error for what is none."""
    if isinstance(value, bool):
        raise custom("quote", "put the language in quotes: YAML reads no as false")
    tag = str(value).lower().replace("_", "-")
    if not _LANGUAGE.fullmatch(tag):
        raise custom("language", f'{tag[:40]!r} is no language tag; write "en" or "pt-BR"')
    return tag


Duration = Annotated[str, AfterValidator(_duration)]
DelayText = Annotated[str, AfterValidator(_delay)]
Hours = Annotated[str, AfterValidator(_hours)]
Zone = Annotated[str, Field(max_length=64), AfterValidator(_zone)]
Day = Annotated[date, BeforeValidator(_day)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Label = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_one_line), BeforeValidator(written)]
Identifier = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_one_line), BeforeValidator(written)]
LanguageTag = Annotated[str, BeforeValidator(language_tag)]
Count = Annotated[StrictInt, Field(ge=1, le=1_000_000)]
Number = Annotated[int | float, BeforeValidator(_number)]
Flag = StrictBool

"""How a platform's own account of our usage slows us down. Pure."""

from dataclasses import dataclass

EASY = 75.0
"""Percent of the platform's allowance below which we go at full rate."""

FULL = 100.0
"""Percent at which the platform begins to refuse; each refused call would lengthen its anger."""

FULL_PAUSE = 60.0
"""Seconds of rest at 100 percent when the platform does not say how long; its windows slide by the minute."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The highest share used, in percent, and seconds until access comes back (0: not said)."""

    percent: float = 0.0
    regain_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Pace:
    """`factor` of the channel's rate, 0.05 to 1; `pause` in seconds."""

    factor: float = 1.0
    pause: float = 0.0


def pace(usage: Usage) -> Pace:
    """Return how to go on: full rate up to 75 %, then ever slower, a pause at 100 % or when the platform asks for one."""
    if usage.regain_seconds > 0:
        return Pace(0.05, usage.regain_seconds)
    if usage.percent >= FULL:
        return Pace(0.05, FULL_PAUSE)
    if usage.percent <= EASY:
        return Pace()
    return Pace(max(0.05, (FULL - usage.percent) / (FULL - EASY)))

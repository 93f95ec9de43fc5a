"""Calls that go wrong on purpose: which ones, how, and how often."""

from random import Random
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulator.calls import Call
from simulator.model import Platform

Action = Literal[
    "error",
    "timeout_after_apply",
    "timeout_before_apply",
    "reset_after_apply",
    "reset_before_apply",
    "late_apply",
    "http_500_after_apply",
    "unreadable_200",
    "slow",
]


class Match(BaseModel):
    """Which calls: all that is given must agree. `target` is the object; of a private reply, the comment."""

    model_config = ConfigDict(extra="forbid")

    platform: Platform | None = None
    account: str | None = None
    call: str | None = None
    target: str | None = None

    def fits(self, call: Call) -> bool:
        """Whether the call is meant."""
        wanted = (self.platform, self.account, self.call, self.target)
        actual = (call.account.platform, call.account.id, call.kind, call.subject)
        return all(want is None or want == have for want, have in zip(wanted, actual, strict=True))


class Fault(BaseModel):
    """One kind of trouble.

    `error` answers `code`/`subcode` (HTTP `status` and extra `headers` if given) and does nothing; `…_after_apply` does
    the deed and loses the answer; `late_apply` loses the connection at once and does the deed `seconds` later;
    `slow` waits `seconds`, then acts as usual. `times` runs out (1, or without end when only a `rate` is given).
    """

    model_config = ConfigDict(extra="forbid")

    match: Match = Field(default_factory=Match)
    action: Action
    code: int = 2
    subcode: int | None = None
    message: str | None = None
    status: int | None = Field(default=None, ge=400, le=599)
    headers: dict[str, str] = Field(default_factory=dict)
    seconds: float = Field(default=1.0, ge=0, le=3600)
    respond: Literal["reset", "hang"] = "reset"
    times: Annotated[int, Field(ge=1)] | None = None
    rate: Annotated[float, Field(ge=0, le=1)] | None = None


class Faults:
    """The faults in force, tried in the order they were given; the first that fits strikes."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._left: list[tuple[Fault, int | None]] = []
        self.struck = 0

    def add(self, faults: list[Fault]) -> None:
        """Put faults in force."""
        for fault in faults:
            times = 1 if fault.times is None and fault.rate is None else fault.times
            self._left.append((fault, times))

    def clear(self) -> None:
        """No more trouble."""
        self._left.clear()

    def take(self, call: Call) -> Fault | None:
        """The fault that strikes this call, one time less of it left."""
        for position, (fault, times) in enumerate(self._left):
            if not fault.match.fits(call) or (fault.rate is not None and self._rng.random() >= fault.rate):
                continue
            self.struck += 1
            if times == 1:
                del self._left[position]
            elif times is not None:
                self._left[position] = (fault, times - 1)
            return fault
        return None

    def listing(self) -> list[dict[str, object]]:
        """What is in force; `times` is what is left, None without end."""
        return [{**fault.model_dump(mode="json"), "times": times} for fault, times in self._left]

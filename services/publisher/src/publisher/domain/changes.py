"""What can happen to an action, and how long the protocol waits. Durations in seconds."""

from dataclasses import dataclass

from publisher.domain.model import Reason


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds that the protocol waits."""

    lease: float = 15.0
    """From claim to the moment another worker may take over; longer than a send with all its timeouts."""
    settle: float = 120.0
    """From claim to the first reading back; covers late application and listings that lag."""
    later_reads: tuple[float, ...] = (600.0, 3_600.0, 86_400.0)
    """Further readings, from the claim on: 10 minutes, 1 hour, 1 day."""
    read_retry: float = 30.0
    """After a reading that failed; doubled each time."""
    retry_first: float = 1.0
    retry_longest: float = 300.0
    max_attempts: int = 8
    """Sends that did not leave us, before the action is given up: about ten minutes of an unreachable platform."""
    failed_reads_before_parking: int = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker takes the action to send it; `claimant` names this very claim."""

    claimant: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The platform has done it."""

    epoch: int
    platform_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The platform will not do it, for good."""

    epoch: int
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class NotSent:
    """Surely nothing happened. `after` (seconds) overrides the backoff; `counts`: whether this uses up an attempt."""

    epoch: int
    detail: str = ""
    after: float | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The platform says that this text is already there."""

    epoch: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """Sent, and the outcome never came. `repeatable`: a second send has no second effect."""

    epoch: int
    detail: str = ""
    repeatable: bool = False


@dataclass(frozen=True, slots=True)
class LeaseOver:
    """Found in `sending` past its deadline: its worker died or sleeps."""

    repeatable: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """The effect is on the platform: read back, or echoed."""

    platform_id: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """Read back completely, and it is not there."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The reading back failed this time; `never`: the platform has no way to read this kind back."""

    never: bool = False


@dataclass(frozen=True, slots=True)
class Suppress:
    """Held back before the send."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Fail:
    """Cannot be done at all."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AskApproval:
    """A person must say yes first."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """Decided and recorded, not done."""


@dataclass(frozen=True, slots=True)
class Record:
    """Done by being in the ledger."""


@dataclass(frozen=True, slots=True)
class Approve:
    """A person says yes, perhaps with another text."""

    actor: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """A person says no."""

    actor: str


@dataclass(frozen=True, slots=True)
class Resolve:
    """A person has looked: it was posted, or it was not and shall not be."""

    actor: str
    posted: bool


@dataclass(frozen=True, slots=True)
class SendAgain:
    """A person has looked: it is not there, send once more."""

    actor: str


Change = (
    Claim | Accepted | Refused | NotSent | Duplicate | Lost | LeaseOver | Seen | Unseen | Unreadable
    | Suppress | Fail | AskApproval | Shadow | Record | Approve | Reject | Resolve | SendAgain
)  # fmt: skip

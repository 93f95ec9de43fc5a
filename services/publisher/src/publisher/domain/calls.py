"""Calls to a platform and what comes back, as data."""

from collections.abc import Sequence
from dataclasses import dataclass

from publisher.domain.model import Kind, Reason
from publisher.domain.pace import Usage


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls a second in the long run, and at once."""

    per_second: float
    burst: float


@dataclass(frozen=True, slots=True)
class Grant:
    """How many of the calls asked for may be made now, and seconds until the next may."""

    granted: int
    wait: float


@dataclass(frozen=True, slots=True)
class Deed:
    """One call to make: what, where, and the end of the claim it belongs to (monotonic seconds, see `may_write`).

    A notification's `target` is its URL and its `text` the body.
    """

    action_id: str
    kind: Kind
    event_kind: str
    target: str
    author: str
    text: str
    deadline: float


@dataclass(frozen=True, slots=True)
class Done:
    """The platform did it."""

    platform_id: str


@dataclass(frozen=True, slots=True)
class Denied:
    """The platform refused for good."""

    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Untouched:
    """Surely not done: never sent, or turned away for now. `after` seconds; `counts`: whether it uses up an attempt."""

    detail: str
    after: float | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class AlreadyThere:
    """The platform says that the same text is there already."""

    detail: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """Sent; what came of it is not known."""

    detail: str


Outcome = Done | Denied | Untouched | AlreadyThere | Unclear


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome, and what it says about the channel: seconds to rest, usage, whether the credential is refused."""

    outcome: Outcome
    pause: float = 0.0
    usage: Usage | None = None
    credential_refused: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """One of our own posts under a target; `at` on our clock."""

    platform_id: str
    at: float


@dataclass(frozen=True, slots=True)
class Listing:
    """What of ours stands under a target. `complete`: every page was read."""

    own: Sequence[Sight]
    complete: bool

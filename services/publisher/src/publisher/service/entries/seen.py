"""What the ledger of entries learns from the topics it reads."""

from dataclasses import dataclass

from publisher.domain.entries.model import Answer, Capture
from publisher.domain.entries.rights import Saying
from publisher.domain.model import Kind, Mode, State

NOT_DONE = frozenset({State.FAILED, State.SUPPRESSED, State.SHADOWED, State.REJECTED})
"""States of an action that nobody has seen anything of."""


@dataclass(frozen=True, slots=True)
class Entering:
    """An entry that a decision makes."""

    capture: Capture
    mode: Mode


@dataclass(frozen=True, slots=True)
class RightsWanted:
    """A rule asks for the rights of the object's entry in a campaign."""

    campaign: str
    mode: Mode


@dataclass(frozen=True, slots=True)
class Consent:
    """How the words read as an answer in a campaign."""

    campaign: str
    answer: Answer
    phrase: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One decision as it concerns campaigns; nothing of it for most."""

    brand: str
    saying: Saying
    deleted: bool
    event_time: float
    text_sha256: str
    entering: tuple[Entering, ...]
    wanted: tuple[RightsWanted, ...]
    consents: tuple[Consent, ...]


@dataclass(frozen=True, slots=True)
class Reported:
    """What became of an action. `kind` and `state` are None where this release does not know them."""

    action_id: str
    kind: Kind | None
    state: State | None
    platform_id: str
    detail: str

"""What can happen to an entry."""

from dataclasses import dataclass

from publisher.domain.entries.model import Answer, Asked, Flagged, Medium, Use, Why


@dataclass(frozen=True, slots=True)
class Admit:
    """It counts. `ask`: rights are to be asked for at once."""

    flags: tuple[Flagged, ...] = ()
    ask: bool = False


@dataclass(frozen=True, slots=True)
class TurnAway:
    """It does not count."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """Rights are asked for; `actor`: who chose it, empty for an automatic request."""

    asked: Asked
    actor: str = ""


@dataclass(frozen=True, slots=True)
class LeaveToPeople:
    """It cannot be asked for automatically."""

    detail: str


@dataclass(frozen=True, slots=True)
class RequestStands:
    """The request is where the person can read it."""

    action_id: str
    platform_id: str


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """The request came to nothing."""

    action_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class LookAgain:
    """What becomes of the request is not known yet; look again after so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Remind:
    """The person was reminded."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The person said something. `object` is where, `text_sha256` the words, `phrase` what was recognised."""

    answer: Answer
    object: str
    text_sha256: str
    phrase: str = ""


@dataclass(frozen=True, slots=True)
class FormAnswered:
    """The person used the form of this attempt; `granted`: yes. The hash is of the terms that the form showed."""

    attempt: int
    granted: bool
    terms_sha256: str


@dataclass(frozen=True, slots=True)
class Judge:
    """A person of the brand decides what an answer meant, with the reason and where it can be read."""

    actor: str
    granted: bool
    reason: str
    object: str = ""


@dataclass(frozen=True, slots=True)
class TimeUp:
    """A moment has come: the answer's window or the granted one may be over."""


@dataclass(frozen=True, slots=True)
class Revoke:
    """A person of the brand ends the rights."""

    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The object was deleted on its platform, or the person asked to be forgotten."""

    reason: Why = Why.OBJECT_DELETED


@dataclass(frozen=True, slots=True)
class Fetched:
    """Media were fetched, or not. `again`: seconds until the next try; None: no more. `counts`: this was one of the tries."""

    media: tuple[Medium, ...]
    again: float | None = None
    flags: tuple[Flagged, ...] = ()
    counts: bool = True


@dataclass(frozen=True, slots=True)
class UseIt:
    """The media are used: in the gallery at once, in a post when it stands on the platform."""

    use: Use


@dataclass(frozen=True, slots=True)
class PostStands:
    """The post stands on the platform."""

    action_id: str
    platform_id: str


@dataclass(frozen=True, slots=True)
class PostFailed:
    """The post came to nothing."""

    action_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class Removing:
    """The post is being removed by this action."""

    action_id: str
    removal: str


EntryChange = (
    Admit | TurnAway | Ask | LeaveToPeople | RequestStands | RequestFailed | LookAgain | Remind | Answered | FormAnswered | Judge
    | TimeUp | Revoke | Gone | Fetched | UseIt | PostStands | PostFailed | Removing
)  # fmt: skip

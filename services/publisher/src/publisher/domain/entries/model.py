"""The words of the ledger of entries. Times are unix seconds (UTC)."""

from dataclasses import dataclass
from enum import StrEnum

from publisher.domain.entries.campaign import By, UseKind


class EntryState(StrEnum):
    """Where an entry stands; names equal those of the contract's `EntryState`."""

    CAPTURED = "captured"
    ELIGIBLE = "eligible"
    INELIGIBLE = "ineligible"
    RIGHTS_REQUESTED = "rights_requested"
    GRANTED = "granted"
    REFUSED = "refused"
    EXPIRED = "expired"
    REVOKED = "revoked"
    FEATURED = "featured"


class Why(StrEnum):
    """Reasons that this service gives itself; those of the rules (`author`, `language`, …) come with the draft."""

    NONE = ""
    LIMIT = "limit"
    SCHEDULE = "schedule"
    OBJECT_DELETED = "object_deleted"
    FORGOTTEN = "forgotten"
    ANSWER = "answer"
    UNCLEAR = "unclear"
    FORM = "form"
    PERSON = "person"
    NO_ANSWER = "no_answer"
    NOT_SENT = "not_sent"
    WINDOW_OVER = "window_over"
    WITHDRAWN = "withdrawn"
    REMINDED = "reminded"
    ORDERED = "ordered"


class Answer(StrEnum):
    """How words read as an answer; names equal those of the contract's `ConsentAnswer`."""

    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    UNCLEAR = "unclear"


class Flag(StrEnum):
    """Why an entry deserves a second look."""

    NEAR_DUPLICATE = "near_duplicate"
    COPIED_MEDIA = "copied_media"
    TAG_FARM = "tag_farm"
    BOT = "bot"


@dataclass(frozen=True, slots=True)
class MediaRef:
    """A medium as the platform named it."""

    type: str
    url: str


@dataclass(frozen=True, slots=True)
class Capture:
    """What an entry is, for good: nothing in here changes after it was captured."""

    entry_id: str
    event_id: str
    brand: str
    campaign: str
    campaign_version: int
    platform: str
    account: str
    channel: str
    object: str
    parent: str
    root: str
    author: str
    handle: str
    event_kind: str
    language: str
    text: str
    media: tuple[MediaRef, ...]
    hashtags: tuple[str, ...]
    friends: tuple[str, ...]
    trigger: str
    eligible: bool
    reason: str
    detail: str
    event_time: float
    received_time: float

    @property
    def person(self) -> str:
        """Who entered, as `platform:author id`; the object where a platform hides the author."""
        return f"{self.platform}:{self.author or self.object}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line: who, when, on whose words. `sequence` counts the changes of state from 1; 0: a note between them."""

    sequence: int
    at: float
    state: EntryState
    reason: str = ""
    detail: str = ""
    actor: str = ""
    object: str = ""
    text_sha256: str = ""
    terms_version: int = 0


@dataclass(frozen=True, slots=True)
class Flagged:
    """A flag with what was compared, for people."""

    flag: Flag
    detail: str


@dataclass(frozen=True, slots=True)
class Medium:
    """A medium that was fetched, or why it could not be. `sha256` is empty while it is not stored."""

    url: str
    sha256: str = ""
    mime: str = ""
    size: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """The newest request for rights, with the terms as they were shown. `posted_as`: its id on the platform.

    `answer_by` is None until the request stands where the person can read it; until then its order is looked at again
    at `check_at`, so that neither a crash nor a lost report leaves it open for good.
    """

    attempt: int
    by: By
    action_id: str
    at: float
    terms_version: int
    terms: str
    uses: tuple[UseKind, ...]
    answer_seconds: float
    reminder_seconds: float
    granted_seconds: float
    posted_as: str = ""
    answer_by: float | None = None
    remind_at: float | None = None
    check_at: float | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """One use of the media. Of a post: the action that posts it and what it is called on the platform once it stands there."""

    use: UseKind
    at: float
    actor: str
    action_id: str = ""
    platform_id: str = ""
    removal: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an entry stands now. `revision` counts the saves; `waiting`: why a person must look at its answer."""

    state: EntryState
    captured_at: float
    revision: int = 0
    flags: tuple[Flagged, ...] = ()
    media: tuple[Medium, ...] = ()
    media_tries: int = 0
    media_at: float | None = None
    ask_at: float | None = None
    asked: Asked | None = None
    waiting: str = ""
    granted_until: float | None = None
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class CampaignEntry:
    """One line of the ledger of entries."""

    capture: Capture
    standing: Standing
    evidence: tuple[Evidence, ...]

    @property
    def entry_id(self) -> str:
        """The id of the ENTER action that made it."""
        return self.capture.entry_id

    @property
    def state(self) -> EntryState:
        """Where it stands."""
        return self.standing.state

    @property
    def sequence(self) -> int:
        """How many changes of state there were."""
        return max(line.sequence for line in self.evidence)

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions whose deliveries concern it now."""
        asked = self.standing.asked
        own = (asked.action_id,) if asked and asked.action_id else ()
        return own + tuple(name for use in self.standing.uses for name in (use.action_id, use.removal) if name)


STUCK_SECONDS = 60.0
"""An entry still `captured` after this was left by a process that died; a live one needs milliseconds."""


def attention_at(standing: Standing) -> float | None:
    """Return when a sweep must look at the entry; None: never again."""
    state, asked = standing.state, standing.asked
    times: list[float | None] = []
    if state is EntryState.CAPTURED:
        times.append(standing.captured_at + STUCK_SECONDS)
    elif state not in {EntryState.INELIGIBLE, EntryState.REVOKED}:
        times.append(standing.media_at)
    if state is EntryState.ELIGIBLE:
        times.append(standing.ask_at)
    if state is EntryState.RIGHTS_REQUESTED and asked is not None:
        times += [asked.remind_at, asked.answer_by, asked.check_at]
    if state in {EntryState.GRANTED, EntryState.FEATURED}:
        times.append(standing.granted_until)
    return min((at for at in times if at is not None), default=None)

"""What the API takes and shows of entries."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from publisher.adapters.views import moment
from publisher.domain.entries.campaign import By
from publisher.domain.entries.model import Asked, CampaignEntry, EntryState, Evidence, Medium, Use

Reason = Annotated[str, Field(min_length=1, max_length=500)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class RequestIn(_In):
    """How to ask; without `by` as the campaign says."""

    by: Literal["reply", "private_reply", "form"] | None = None

    @property
    def way(self) -> By | None:
        """As the domain names it."""
        return By(self.by) if self.by else None


class JudgeIn(_In):
    """Why a person takes an answer for a yes or a no; `evidence`: the id of the comment, message or letter that shows it."""

    reason: Reason
    evidence: Annotated[str, Field(max_length=256)] = ""


class RevokeIn(_In):
    """Why the rights end."""

    reason: Reason


class FeatureIn(_In):
    """What to use the media for; `caption` is the post's text."""

    use: Literal["gallery", "post"]
    caption: Annotated[str, Field(max_length=2_200)] = ""


class FlagOut(BaseModel):
    """A flag with what was compared."""

    flag: str
    detail: str


class MediumOut(BaseModel):
    """A medium: as the platform named it, and the stored file or why there is none."""

    type: str
    url: str
    sha256: str
    mime: str
    size: int
    reason: str


class AskedOut(BaseModel):
    """The newest request. `link`: of a form, for who may hand it over."""

    by: str
    attempt: int
    time: datetime
    terms_version: int
    terms: str
    uses: list[str]
    action_id: str
    platform_id: str
    answer_by_time: datetime | None
    link: str


class UseOut(BaseModel):
    """One use: when, by whom, and of a post its action, its id on the platform and the action that removes it."""

    use: str
    time: datetime
    actor: str
    action_id: str
    platform_id: str
    removal: str


class EvidenceOut(BaseModel):
    """One line of evidence. `sequence` counts the changes of state; a line between two has the sequence 0."""

    sequence: int
    time: datetime
    state: str
    reason: str
    detail: str
    actor: str
    object: str
    text_sha256: str
    terms_version: int


class EntryOut(BaseModel):
    """One entry. `waiting`: the object of an unclear answer that a person must read. `evidence` on single entries only."""

    entry_id: str
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
    text: str
    language: str
    hashtags: list[str]
    friends: list[str]
    trigger: str
    state: EntryState
    reason: str
    detail: str
    waiting: str
    flags: list[FlagOut]
    media: list[MediumOut]
    request: AskedOut | None
    granted_until_time: datetime | None
    uses: list[UseOut]
    event_time: datetime
    captured_time: datetime
    changed_time: datetime
    evidence: list[EvidenceOut] | None = None


class EntriesOut(BaseModel):
    """A page; `next` is null on the last, else what the next page comes after."""

    items: list[EntryOut]
    next: str | None


def entry_out(entry: CampaignEntry, *, link: str = "", evidence: bool = False) -> EntryOut:
    """Return an entry as people see it."""
    own, at = entry.capture, entry.standing
    last = next(line for line in reversed(entry.evidence) if line.sequence)
    known = {one.url: one for one in at.media}
    return EntryOut(
        entry_id=own.entry_id,
        brand=own.brand,
        campaign=own.campaign,
        campaign_version=own.campaign_version,
        platform=own.platform,
        account=own.account,
        channel=own.channel,
        object=own.object,
        parent=own.parent,
        root=own.root,
        author=own.author,
        handle=own.handle,
        text=own.text,
        language=own.language,
        hashtags=list(own.hashtags),
        friends=list(own.friends),
        trigger=own.trigger,
        state=at.state,
        reason=last.reason,
        detail=last.detail,
        waiting=at.waiting,
        flags=[FlagOut(flag=one.flag, detail=one.detail) for one in at.flags],
        media=[_medium(ref.type, known.get(ref.url) or Medium(ref.url)) for ref in own.media],
        request=_asked(at.asked, link) if at.asked else None,
        granted_until_time=None if at.granted_until is None else moment(at.granted_until),
        uses=[_use(use) for use in at.uses],
        event_time=moment(own.event_time),
        captured_time=moment(at.captured_at),
        changed_time=moment(last.at),
        evidence=[_line(line) for line in entry.evidence] if evidence else None,
    )


def _medium(kind: str, medium: Medium) -> MediumOut:
    return MediumOut(type=kind, url=medium.url, sha256=medium.sha256, mime=medium.mime, size=medium.size, reason=medium.reason)


def _asked(asked: Asked, link: str) -> AskedOut:
    return AskedOut(
        by=asked.by,
        attempt=asked.attempt,
        time=moment(asked.at),
        terms_version=asked.terms_version,
        terms=asked.terms,
        uses=list(asked.uses),
        action_id=asked.action_id,
        platform_id=asked.posted_as,
        answer_by_time=None if asked.answer_by is None else moment(asked.answer_by),
        link=link if asked.by is By.FORM else "",
    )


def _use(use: Use) -> UseOut:
    return UseOut(
        use=use.use,
        time=moment(use.at),
        actor=use.actor,
        action_id=use.action_id,
        platform_id=use.platform_id,
        removal=use.removal,
    )


def _line(line: Evidence) -> EvidenceOut:
    return EvidenceOut(
        sequence=line.sequence,
        time=moment(line.at),
        state=line.state,
        reason=line.reason,
        detail=line.detail,
        actor=line.actor,
        object=line.object,
        text_sha256=line.text_sha256,
        terms_version=line.terms_version,
    )

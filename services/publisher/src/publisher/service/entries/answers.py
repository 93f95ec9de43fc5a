"""What people answer, and what platforms report of requests and posts."""

from dataclasses import dataclass

from publisher.domain.entries.changes import Answered, EntryChange, PostFailed, PostStands, RequestFailed, RequestStands
from publisher.domain.entries.model import Answer, EntryState
from publisher.domain.entries.rights import concerns
from publisher.domain.model import Kind, State
from publisher.entry_ports import Entries
from publisher.service.entries.moves import EntryMoves
from publisher.service.entries.removing import Removals
from publisher.service.entries.seen import NOT_DONE, Consent, Reported, Seen


@dataclass(frozen=True, slots=True)
class Answers:
    """Applies answers to the entries that they concern, and to no others."""

    entries: Entries
    moves: EntryMoves
    removals: Removals

    async def hear(self, seen: Seen) -> None:
        """Take up how words read as answers. Raises Transient."""
        for consent in seen.consents:
            await self._hear(seen, consent)

    async def _hear(self, seen: Seen, consent: Consent) -> None:
        saying = seen.saying
        mine = await self.entries.open_requests(seen.brand, consent.campaign, saying.platform, saying.author)
        here = [entry for entry in mine if concerns(entry, saying)]
        answer = consent.answer
        if answer is not Answer.WITHDRAWN:
            here = [entry for entry in here if entry.state is EntryState.RIGHTS_REQUESTED]
            # One yes to several questions: which was meant is for a person to say.
            answer = answer if len(here) == 1 else Answer.UNCLEAR
        for entry in here:
            moved = await self.moves.apply(entry, Answered(answer, saying.object, seen.text_sha256, consent.phrase))
            await self.removals.after(moved or entry)

    async def report(self, reported: Reported) -> None:
        """Take up what became of an action. Raises Transient."""
        if reported.kind not in {Kind.REPLY, Kind.PRIVATE_REPLY, Kind.FEATURE}:
            return
        change = _change(reported)
        entry = await self.entries.of_action(reported.action_id) if change else None
        if entry is not None and change is not None:
            moved = await self.moves.apply(entry, change)
            await self.removals.after(moved or entry)


def _change(reported: Reported) -> EntryChange | None:
    name, post = reported.action_id, reported.kind is Kind.FEATURE
    if reported.state is State.POSTED:
        return PostStands(name, reported.platform_id) if post else RequestStands(name, reported.platform_id)
    if reported.state in NOT_DONE:
        return PostFailed(name, reported.detail) if post else RequestFailed(name, reported.detail)
    return None

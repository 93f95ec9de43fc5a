"""Links to the consent form."""

from collections.abc import Sequence
from dataclasses import dataclass

from antiphon.clock import Clock
from publisher.domain.entries.links import Invitation, invitation_of, token_of
from publisher.domain.entries.model import CampaignEntry


@dataclass(frozen=True, slots=True)
class Inviting:
    """Makes and reads links. `keys`: the first signs, all are good; `public_url`: where people reach this installation."""

    public_url: str
    keys: Sequence[bytes]
    clock: Clock

    @property
    def possible(self) -> bool:
        """Whether there is an address to link to."""
        return bool(self.public_url)

    def link(self, entry: CampaignEntry) -> str:
        """Return the link of the entry's newest request, the same each time; empty when there is none."""
        asked = entry.standing.asked
        if asked is None or not self.possible:
            return ""
        invitation = Invitation(entry.entry_id, asked.attempt, int(asked.at + asked.answer_seconds))
        return f"{self.public_url.rstrip('/')}/c/{token_of(invitation, self.keys[0])}"

    def read(self, token: str) -> Invitation | None:
        """Return what a token says; None for one that is not ours or past its time."""
        return invitation_of(token, self.keys, self.clock.now().timestamp())

"""What a brand runs beside its rules: topics that it tells apart, and campaigns that take in what people make."""

from dataclasses import dataclass
from enum import StrEnum, auto

from rules.domain.decision import Mode
from rules.domain.leaves import Condition


class CampaignState(StrEnum):
    """Where a campaign stands; only an active one takes entries, between its start and its end."""

    UNSPECIFIED = auto()
    DRAFT = auto()
    ACTIVE = auto()
    PAUSED = auto()
    CLOSED = auto()
    ARCHIVED = auto()


@dataclass(frozen=True, slots=True)
class Topic:
    """What a brand wants told apart; `name` is `kind:id`, `terms` are matched as rules match words."""

    name: str
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConsentPhrases:
    """What people write in answer to a request for rights, as it was configured."""

    granted: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Campaign:
    """One version of a campaign. Times are unix seconds UTC; 0: without end.

    `hashtags` and `mentions` are folded, without their signs; an empty set of places restricts nothing. `eligibility` None:
    everybody. `asks_rights`: it has terms; `phrases` None: people do not answer its request in words.
    """

    campaign: str
    version: int
    name: str = ""
    state: CampaignState = CampaignState.ACTIVE
    mode: Mode = Mode.AUTO
    start: float = 0.0
    end: float = 0.0
    hashtags: frozenset[str] = frozenset()
    mentions: frozenset[str] = frozenset()
    form: bool = False
    platforms: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    eligibility: Condition | None = None
    unique_friends: int = 0
    asks_rights: bool = False
    phrases: ConsentPhrases | None = None

    def closed_at(self, moment: float) -> str:
        """Return why it takes nothing at a time (unix seconds), in words; "" when it does."""
        if self.state is not CampaignState.ACTIVE:
            return f"the campaign {self.campaign} is {self.state}"
        if moment < self.start:
            return f"the campaign {self.campaign} has not begun"
        return f"the campaign {self.campaign} is over" if self.end and moment >= self.end else ""

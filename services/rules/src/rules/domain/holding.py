"""Holds: where automation waits for people, as far as a scope goes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rules.domain.decision import Mode


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold in force; what is empty restricts nothing. `topic` is `kind:id`."""

    hold: str
    mode: Mode
    platform: str = ""
    campaign: str = ""
    topic: str = ""
    rule_id: str = ""


def on_event(holds: Sequence[Hold], platform: str, campaigns: Collection[str], topics: Collection[str]) -> tuple[Hold, ...]:
    """Return the holds that an event is under, whatever the rule."""
    return tuple(
        hold
        for hold in holds
        if hold.platform in {"", platform}
        and (not hold.campaign or hold.campaign in campaigns)
        and (not hold.topic or hold.topic in topics)
    )


def stricter(holds: Sequence[Hold], rule_id: str, mode: Mode) -> tuple[Mode, tuple[str, ...]]:
    """Return an action's mode under the holds of its event, and the ids of those that made it stricter."""
    found = [hold for hold in holds if hold.rule_id in {"", rule_id} and _STRICTNESS[hold.mode] > _STRICTNESS[mode]]
    strictest = max((hold.mode for hold in found), key=_STRICTNESS.__getitem__, default=mode)
    return strictest, tuple(hold.hold for hold in found)


_STRICTNESS = {Mode.UNSPECIFIED: 0, Mode.AUTO: 0, Mode.APPROVAL: 1, Mode.SHADOW: 2}

"""The COBRA level of an event: consuming, contributing or creating (Muntinga, Moorman & Smit 2011)."""

from collections.abc import Mapping

from rules.domain.decision import CobraLevel
from rules.domain.event import Event

_CONSUMING, _CONTRIBUTING, _CREATING = CobraLevel.CONSUMING, CobraLevel.CONTRIBUTING, CobraLevel.CREATING

LEVELS: Mapping[str, tuple[CobraLevel, CobraLevel]] = {
    "click": (_CONSUMING, _CONSUMING),
    "view": (_CONSUMING, _CONSUMING),
    "save": (_CONSUMING, _CONSUMING),
    "follow": (_CONSUMING, _CONSUMING),
    "reaction": (_CONTRIBUTING, _CONTRIBUTING),
    "vote": (_CONTRIBUTING, _CONTRIBUTING),
    "comment": (_CONTRIBUTING, _CONTRIBUTING),
    "reply": (_CONTRIBUTING, _CONTRIBUTING),
    "share": (_CONTRIBUTING, _CONTRIBUTING),
    "message": (_CONTRIBUTING, _CONTRIBUTING),
    "review": (_CONTRIBUTING, _CREATING),
    "post": (_CONTRIBUTING, _CREATING),
    "mention": (_CREATING, _CREATING),
    "story_mention": (_CREATING, _CREATING),
    "submission": (_CREATING, _CREATING),
}
"""Kind of event → its level when it is bare, and when it brings words or media of its own.

A rating without words contributes, a review creates. Whoever mentions the brand has made something that names it,
also where the platform hides the words. Clicks, views and saves take in what is there; a vote adds to what others made.
A conversion has no level: it is reported by the brand's own systems, and the click before it was the person's activity.
"""

DONE_BY_PEOPLE = frozenset({"create", "edit"})
"""Verbs by which a person does something; taking back or hiding is no activity of its own."""


def cobra_level(event: Event) -> CobraLevel:
    """Return the one level of an event; UNSPECIFIED for what the brand did itself and for what was only taken away."""
    if event.echo or event.verb not in DONE_BY_PEOPLE:
        return CobraLevel.UNSPECIFIED
    bare, made = LEVELS.get(event.kind, (CobraLevel.UNSPECIFIED, CobraLevel.UNSPECIFIED))
    return made if event.media or event.text.strip() else bare

"""What kinds of events are what, as data: every report reads these tables and no other."""

from collections.abc import Mapping

LEVELS = ("consuming", "contributing", "creating")
"""COBRA levels from the lowest: Muntinga, Moorman & Smit 2011, International Journal of Advertising 30(1)."""

RANK: Mapping[str, int] = {"": 0, "other": 0, **{level: rank for rank, level in enumerate(LEVELS, 1)}}
"""A person's level in a period is the one of the highest rank."""

STATEMENTS = frozenset({"comment", "reply", "mention", "review", "post", "story_mention", "submission"})
"""Electronic word of mouth: a statement made available to many (Hennig-Thurau et al. 2004). Messages are private and none."""

DRAWN = frozenset({"reply", "reaction", "share", "comment", "vote"})
"""What a statement draws from others: its resonance."""

FOLLOW_UPS = frozenset({"reply", "message"})
"""How a person goes on after an answer."""

NODES = frozenset({"post", "comment", "reply", "share", "mention", "review", "story_mention", "submission"})
"""What hangs in a tree of replies and shares."""

TREE_DELETES = NODES
"""Whose deletion leaves a ghost in the tree."""

ANSWERS = frozenset({"reply", "private_reply"})
"""The actions that answer a person."""

BLIND: Mapping[str, tuple[str, ...]] = {
    "facebook": ("view", "read", "save", "click", "follow"),
    "instagram": ("view", "read", "save", "click", "follow", "share", "reaction"),
    "web": (),
}
"""What a platform does not report of single people's activities, by what its webhooks deliver; it is stated and never imputed.

Facebook pages deliver reactions, comments, shares and posts; Instagram delivers comments, mentions, story mentions and messages.
Clicks on tracked links come from `web`, whatever platform carried the link. A platform that is missing here is stated as unknown.
"""

REPORTABLE = (
    "view",
    "read",
    "click",
    "follow",
    "save",
    "reaction",
    "comment",
    "reply",
    "share",
    "vote",
    "post",
    "mention",
    "review",
)
"""The kinds of activity among which the blind share of a platform is counted."""

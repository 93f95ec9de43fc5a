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

REPORTED: Mapping[str, tuple[str, ...]] = {
    "facebook": (
        "comment",  # `feed` tells these five
        "reply",
        "reaction",
        "share",
        "post",  # of visitors, on the Page
        "mention",  # `mention`
        "review",  # `ratings`
        "message",  # Messenger
    ),
    "instagram": (
        "comment",  # `comments` and `live_comments`
        "reply",
        "mention",  # `mentions`, or with the comments
        "story_mention",  # comes as a message
        "message",
    ),
    "web": (
        "click",  # on the brand's tracked links, whatever platform carried them
        "submission",  # by a campaign's form
    ),
}
"""What a platform tells of single people's activities, by fields of its webhooks; `web` is the brand's own links and forms."""

BLIND: Mapping[str, tuple[str, ...]] = {
    "facebook": (
        "view",  # no field
        "read",  # told of private messages alone
        "save",  # no field
        "click",  # no field; on tracked links `web` tells it
        "follow",  # no field
        "join",  # no field: of groups and events
        "vote",  # no field: in polls
        "story_mention",  # no field: messages tell it to Instagram accounts alone
    ),
    "instagram": (
        "view",  # `story_insights` are sums, of nobody
        "read",  # told of private messages alone
        "save",  # no field
        "click",  # no field; on tracked links `web` tells it
        "follow",  # no field
        "join",  # no field: of channels
        "vote",  # no field: in stories
        "reaction",  # no field: likes of posts and comments; those to private messages do come
        "share",  # no field
        "post",  # no field: what names the brand without mentioning its account
    ),
    "web": (
        "view",  # what is looked at behind a link stays with the brand's own site
        "read",
    ),
}
"""What a platform has and does not tell of single people; it is stated and never imputed.

What a platform does not have is not listed: there are no reviews on Instagram. A platform that is missing here is stated as
unknown: nothing of it is read yet.
"""

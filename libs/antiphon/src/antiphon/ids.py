"""Identities that come from content, never from a delivery, so that anything may be done twice."""

import hashlib

_SEPARATOR = "\x1f"
"""ASCII unit separator: platforms' ids do not contain it, so joined parts cannot be confused with each other."""


def _digest(*parts: str) -> str:
    return hashlib.sha256(_SEPARATOR.join(parts).encode()).hexdigest()


def event_id(platform: str, account: str, object_id: str, verb: str, revision: str) -> str:
    """Return the id (64 lower-case hex digits) of what happened to an object.

    `platform` and `verb` are lower-case words; `revision` tells edits of one object apart (a platform time or a
    hash of the text) and is empty where an object can have the verb only once.
    """
    return _digest(platform, account, object_id, verb, revision)


def action_id(brand: str, event: str, rule: str, position: int) -> str:
    """Return the id (64 hex digits) of the action at `position` of a rule's `then`, for one event.

    No rule version in it: an edit of the rule between two deliveries of one event cannot act twice.
    """
    return _digest(brand, event, rule, str(position))

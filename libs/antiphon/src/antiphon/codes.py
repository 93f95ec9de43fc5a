"""Every `code` of a problem document, in one table: programs branch on them, so none is ever renamed.

`docs/errors.md` is written from here, and a test compares the table with every code that the sources can answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Code:
    """The statuses that a code comes with, what has happened, and what the caller can do."""

    statuses: tuple[int, ...]
    meaning: str
    remedy: str


_READ_AGAIN = "Read it again, look at what changed, repeat the change with the new ETag."
_REPEAT = "Repeat the request after `Retry-After` seconds."

CODES: Final[Mapping[str, Code]] = MappingProxyType(
    {
        "account_taken": Code((409,), "Another channel has this account.", "Use that channel, or delete it first."),
        "answer_lost": Code((409,), "The request was done before, its answer is not kept.", "Read what it changed."),
        "bad_json": Code((400,), "A webhook's body is no JSON.", "Send what the platform signed, unchanged."),
        "busy": Code((503,), "Too much is being worked on.", _REPEAT),
        "changed_meanwhile": Code((412,), "`If-Match` names a state that is no longer the present one.", _READ_AGAIN),
        "disconnected": Code((400,), "The connection ended before the body did.", "Send it again."),
        "ended": Code((409,), "The API key has expired or was revoked.", "Create a new key."),
        "example_failed": Code((422,), "The rule does not do what its examples say.", "`errors` names each example and why."),
        "exists": Code((409,), "Something with this id exists already.", "Change it, or choose another id."),
        "forbidden": Code((403,), "The key's role or reach does not suffice.", "Use a key that may; `detail` says which role."),
        "hold_ended": Code((409,), "The hold has ended already.", "Nothing is left to do; what happens again is a new hold."),
        "host_not_allowed": Code((422,), "The URL names a host that is not allowed.", "Have it added to `PUBLISHER_API_HOSTS`."),
        "http_error": Code((400,), "The request is no proper HTTP.", "See `detail`."),
        "idempotency_key_malformed": Code((400,), "`Idempotency-Key` is empty, too long or not ASCII.", "Send a UUID."),
        "idempotency_key_reused": Code((422,), "The `Idempotency-Key` belongs to another request.", "A new key a request."),
        "in_use": Code((409,), "A rule that acts names it.", "Change or pause that rule first; `detail` says which."),
        "internal": Code((500,), "A fault of ours; it is in the log.", "Report it; repeating may help."),
        "invalid": Code((422,), "A field or parameter is unknown or has a wrong form.", "`errors` points at each; correct them."),
        "list_full": Code((409,), "The list holds as many as it can.", "Take some off first."),
        "method_not_allowed": Code((405,), "The path does not take this method.", "See `Allow`."),
        "no_form": Code((409,), "The campaign takes no entries by form.", "Switch its form on, or send people to its hashtag."),
        "not_active": Code((409,), "The rule is not active.", "Activate it first."),
        "not_an_object": Code((400,), "A webhook's body is no JSON object.", "Send what the platform signed, unchanged."),
        "not_found": Code((404,), "It does not exist, at all or for this key.", "Check the id and the key's brands."),
        "not_open": Code((409,), "The campaign takes no entries now.", "`detail` says why, and from or until when it does."),
        "not_possible": Code((409,), "Its state does not allow it.", "Read it again; `detail` says why."),
        "platform_unreachable": Code((502,), "The platform did not answer.", "Try again later."),
        "precondition_required": Code((428,), "A change without `If-Match`.", "Send the ETag you have read, or `*`."),
        "stale": Code((412,), "`If-Match` names a state that is no longer the present one.", _READ_AGAIN),
        "still_running": Code((409,), "A request with this `Idempotency-Key` is running.", _REPEAT),
        "taken": Code((409,), "The id is not free.", "Choose another one, or leave it out."),
        "too_large": Code((413,), "The body is larger than the API takes.", "Send less; big lists have a route for additions."),
        "too_many": Code((409,), "The brand has as many of these as it can.", "Delete some that are no longer used."),
        "too_many_rules": Code((409,), "The brand has as many active rules as it can.", "Pause or archive some."),
        "too_many_secrets": Code((409,), "Enough secrets are in force.", "Let the old ones end earlier."),
        "too_many_updates": Code((400,), "A webhook's body holds too many updates.", "Send fewer in one request."),
        "too_many_wrong_keys": Code((429,), "Wrong API keys came from this address again and again.", _REPEAT),
        "unauthorized": Code((401,), "No API key, or a wrong, revoked or expired one.", "Send `Authorization: Bearer ak_…`."),
        "unavailable": Code((503,), "The store or the log is away; nothing is known to be done.", _REPEAT),
        "unreadable": Code((400,), "The body is no JSON (or YAML).", "See `detail` for the place."),
        "unreadable_version": Code((409,), "This release cannot read that version of the rule.", "Save the rule anew."),
        "unsafe_rule": Code((409, 422), "The checks found why the rule must not act.", "`errors` says what; save it as a draft."),
        "unsupported_encoding": Code((415,), "The body is compressed.", "Send it without `Content-Encoding`."),
        "unsupported_media_type": Code((415,), "The body's type is none that the path takes.", "Send `application/json`."),
    }
)
"""Code → its meaning, in alphabetical order."""

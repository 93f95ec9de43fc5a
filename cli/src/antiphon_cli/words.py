"""Decisions, actions and what was understood, in short words for one line."""

from collections.abc import Mapping
from typing import Any


def minute(stamp: str) -> str:
    """Return the API's time as a table shows it."""
    return stamp[:16].replace("T", " ")


def understood(found: Mapping[str, Any]) -> str:
    """Return language, sentiment and flags."""
    score = "" if found["score"] is None else f" {found['score']:+.2f}"
    return " ".join([found["language"] or "?", f"{found['sentiment'] or 'no sentiment'}{score}", *found["flags"]])


def doing(action: Mapping[str, Any]) -> str:
    """Return an action: its kind and what it says or where it goes."""
    what = action["text"] or ", ".join(action["tags"]) or action["queue"] or action["url"] or action.get("campaign", "")
    mode = "" if action["mode"] == "auto" else f" ({action['mode']})"
    return f"{action['kind']}{mode}" + (f": {what}" if what else "")


def fate(delivery: Mapping[str, Any]) -> str:
    """Return where the delivery of an action stands, since when, and why."""
    why = delivery["waiting"] or ("" if delivery["reason"] == "unspecified" else delivery["reason"])
    told = ": ".join(part for part in (why, delivery["detail"]) if part)
    return f"{delivery['state']} {delivery['changed_time'][:19]}" + (f" ({told})" if told else "")


def became(rule: Mapping[str, Any]) -> str:
    """Return what became of a rule that matched: that it acted, or its reason with the values compared."""
    if rule["reason"] in {"", "acted"}:
        return f"{rule['rule_id']} acted"
    return f"{rule['rule_id']} {rule['reason']}" + (f" ({rule['detail']})" if rule["detail"] else "")

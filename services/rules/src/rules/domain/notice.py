"""What another system is told of a rule that matched: the body of its webhook."""

import json
from datetime import UTC, datetime

from rules.domain.event import Event, Understanding
from rules.domain.model import Rule

RULE_MATCHED = "rule.matched"


def notice(rule: Rule, event: Event, understanding: Understanding) -> str:
    """Return compact JSON, always the same for the same event and version of the rule.

    `timestamp` is when it happened (ISO 8601, UTC); what is not known is "" or null.
    """
    happened = datetime.fromtimestamp(event.event_time, UTC).isoformat(timespec="milliseconds")
    data = {
        "event_id": event.event_id,
        "event_time": happened,
        "brand": event.brand,
        "platform": event.platform,
        "channel": event.channel,
        "kind": event.kind,
        "object": event.object,
        "root": event.root,
        "author": {"id": event.author_id, "name": event.author_name, "handle": event.author_handle},
        "text": event.text,
        "language": understanding.language,
        "polarity": understanding.polarity,
        "sentiment": understanding.sentiment,
        "flags": sorted(understanding.flags),
        "rule": {"id": rule.rule_id, "version": rule.version},
    }
    return json.dumps({"type": RULE_MATCHED, "timestamp": happened, "data": data}, separators=(",", ":"), ensure_ascii=False)

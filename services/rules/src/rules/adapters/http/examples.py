"""Examples of the bodies that are read by hand, for the API's description; a test sends each of them."""

from collections.abc import Mapping
from typing import Any, Final

_RULE: Final[dict[str, Any]] = {
    "id": "price-question",
    "name": "Answer price questions",
    "state": "draft",
    "priority": 100,
    "where": {"platforms": ["instagram", "facebook"], "kinds": ["comment"]},
    "when": {"all": [{"text": {"any": ["price", "how much"], "none": ["giveaway"], "as": "words"}}]},
    "limits": [{"per": "author", "at_most": 1, "within": "24h"}],
    "then": [{"reply": {"text": {"default": ["Hi {{author.first_name|there}}, it is 49 €."]}}}],
    "examples": [{"text": "How much is it?", "acts": True}, {"text": "price of the giveaway?", "acts": False}],
}

EXAMPLES: Final[Mapping[str, Any]] = {
    "create_rule": _RULE,
    "save_rule": _RULE,
    "start_backtest": {"from": "2026-03-01T00:00:00Z", "until": "2026-03-08T00:00:00Z", "rules": [_RULE], "remove": []},
}
"""Operation id → example of its body."""

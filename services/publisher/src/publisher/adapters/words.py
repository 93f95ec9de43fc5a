"""Enum names of the contract ↔ words of the domain, by name, so that neither can drift unseen."""

from collections.abc import Mapping

from antiphon.v1 import decision_pb2, delivery_pb2, entry_pb2, event_pb2


def words(enum: object, prefix: str) -> Mapping[int, str]:
    """Return number → lower-case name without prefix."""
    items: list[tuple[str, int]] = enum.items()  # type: ignore[attr-defined]  # the generated wrappers share no base
    return {number: name.removeprefix(prefix).lower() for name, number in items}


PLATFORMS = words(event_pb2.Platform, "PLATFORM_")
EVENT_KINDS = words(event_pb2.EventKind, "EVENT_KIND_")
VERBS = words(event_pb2.Verb, "VERB_")
MODES = words(decision_pb2.Mode, "MODE_")
ACTION_KINDS = words(decision_pb2.ActionKind, "ACTION_KIND_")
SCOPES = words(decision_pb2.LimitScope, "LIMIT_SCOPE_")
STATES = words(delivery_pb2.DeliveryState, "DELIVERY_STATE_")
REASONS = words(delivery_pb2.DeliveryReason, "DELIVERY_REASON_")
ANSWERS = words(decision_pb2.ConsentAnswer, "CONSENT_ANSWER_")
ENTRY_STATES = words(entry_pb2.EntryState, "ENTRY_STATE_")


def numbers(table: Mapping[int, str]) -> Mapping[str, int]:
    """Return the reverse of a table of words."""
    return {word: number for number, word in table.items()}

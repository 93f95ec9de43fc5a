"""The hash chain by itself: order, alteration, removal, insertion."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.audit import GENESIS, AuditEntry, append, first_broken
from rules.trail import AuditNote

MOMENT = datetime(2026, 3, 2, 12, 0, 0, 123_000, UTC)


def note(number: int, **changes: object) -> AuditNote:
    values: dict[str, object] = {
        "brand": "acme",
        "time": MOMENT + timedelta(seconds=number),
        "actor": "0123456789ab",
        "action": "rule.save",
        "target": "rule/acme/price",
        "generation": number,
        "detail": {"comment": f"change {number}", "version": number},
    }
    return AuditNote(**{**values, **changes})  # type: ignore[arg-type]  # the values above


def chain(length: int) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    for number in range(1, length + 1):
        entries.append(append(entries[-1] if entries else None, note(number)))
    return entries


def test_a_chain_starts_at_genesis_and_holds() -> None:
    entries = chain(5)
    assert (entries[0].previous, [entry.sequence for entry in entries]) == (GENESIS, [1, 2, 3, 4, 5])
    assert first_broken(entries) is None
    assert first_broken(entries[2:], after=entries[1]) is None
    assert first_broken([]) is None


@settings(max_examples=60, deadline=None)
@given(
    place=st.integers(0, 5),
    change=st.sampled_from(
        [
            {"actor": "other"},
            {"action": "rule.pause"},
            {"target": "rule/acme/other"},
            {"brand": "other"},
            {"generation": 99},
            {"time": MOMENT - timedelta(milliseconds=1)},
            {"detail": {}},
        ]
    ),
)
def test_any_alteration_breaks_it_at_its_place(place: int, change: dict[str, object]) -> None:
    entries = chain(6)
    entries[place] = replace(entries[place], note=replace(entries[place].note, **change))  # type: ignore[arg-type]  # as sampled
    assert first_broken(entries) == place + 1


def test_removal_insertion_and_exchange_break_it() -> None:
    entries = chain(6)
    assert first_broken([*entries[:2], *entries[3:]]) == 3
    assert first_broken([*entries[:3], entries[2], *entries[3:]]) == 4
    assert first_broken([entries[1], entries[0], *entries[2:]]) == 1
    forged = append(entries[1], note(3, actor="someone else"))
    assert first_broken([*entries[:2], forged, *entries[3:]]) == 4, "a forged entry no longer fits what follows it"


def test_the_same_moment_in_another_zone_has_the_same_hash() -> None:
    berlin = MOMENT.astimezone(timezone(timedelta(hours=1)))
    assert append(None, note(1, time=berlin)).hash == append(None, note(1, time=MOMENT)).hash

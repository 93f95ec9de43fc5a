"""An export of a person shows every record about them, each described, and not the pseudonym that reports know them by."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from metrics.adapters.pages import COLLECTIONS, PERSONAL, pages, row_of
from metrics.adapters.people_views import DecisionMeasure, DeliveryMeasure, EntryMeasure, Measure, SaidMeasure, measures_of
from metrics.domain.facts import ActionFact, DecisionFact, DeliveryFact, EntryFact, EventFact, Fact, Referral, RuleFact, Said

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
PERSON = 7_001

DECISION = DecisionFact(
    event_id="e1", brand="b", platform="facebook", channel="main", kind="comment", verb="create", echo=False, event_time=NOON,
    received_time=NOON, decided_time=None, outcome="acted", reason="", rules=(RuleFact("price", "acted"),),
    actions=(ActionFact("reply", "auto"),),
    said=Said(person=PERSON, level="contributing", sentiment=-250, flags=("question",),
              referral=Referral("shop", "a1", "c1", "order-1", 49_000_000, "EUR")),
)  # fmt: skip
DELIVERY = DeliveryFact(
    action_id="a1", sequence=2, event_id="e1", brand="b", platform="facebook", channel="main", rule_id="price", kind="reply",
    mode="auto", state="posted", reason="", event_time=NOON, received_time=NOON, delivered_time=NOON, person=PERSON, target="t",
)  # fmt: skip
ENTRY = EntryFact(
    entry_id="n1", sequence=1, brand="b", campaign="summer", platform="instagram", channel="main", state="eligible", reason="",
    person=PERSON, flags=("bot",), terms_version=1, event_time=NOON, changed_time=NOON,
)  # fmt: skip


def exported(fact: Fact) -> dict[str, Any]:
    [page] = pages(type(fact), [row_of(fact)])
    [measure] = measures_of(type(fact), page, PERSON)
    read: BaseModel = TypeAdapter[Any](Measure).validate_python(measure)
    return read.model_dump(mode="json")


@pytest.mark.parametrize(
    ("kind", "model"),
    [(DecisionFact, DecisionMeasure), (DeliveryFact, DeliveryMeasure), (EntryFact, EntryMeasure), (Said, SaidMeasure)],
)
def test_every_field_of_a_record_is_described(kind: Any, model: type[BaseModel]) -> None:
    own = {field.name for field in fields(kind)} - {"person"}
    assert set(model.model_fields) - {"record", "id"} == own


def test_a_record_is_exported_as_it_is_kept() -> None:
    decision, delivery, entry = map(exported, (DECISION, DELIVERY, ENTRY))
    assert (decision["record"], decision["id"], decision["event_time"]) == ("decision", "e1", "2026-06-01T12:00:00Z")
    assert decision["rules"] == [{"rule_id": "price", "reason": "acted"}]
    assert (decision["said"]["sentiment"], decision["said"]["referral"]["value"]) == (-250, 49_000_000)
    assert (delivery["record"], delivery["id"], delivery["state"]) == ("delivery", "a1/2", "posted")
    assert (entry["record"], entry["flags"]) == ("entry", ["bot"])


@pytest.mark.parametrize("fact", [DECISION, DELIVERY, ENTRY])
def test_the_pseudonym_stays_inside(fact: Fact) -> None:
    assert str(PERSON) not in str(exported(fact))


def test_of_a_page_the_person_alone_is_exported() -> None:
    other = replace(DECISION, event_id="e2", said=replace(DECISION.said, person=PERSON + 1))
    nobody = replace(DECISION, event_id="e3", said=replace(DECISION.said, person=None))
    [page] = pages(DecisionFact, [row_of(fact) for fact in (other, DECISION, nobody)])
    assert [measure["id"] for measure in measures_of(DecisionFact, page, PERSON)] == ["e1"]


def test_facts_of_every_type_with_a_person_are_looked_through() -> None:
    assert set(PERSONAL) == {type(fact) for fact in (DECISION, DELIVERY, ENTRY)}
    assert all(row_of(fact).person == PERSON for fact in (DECISION, DELIVERY, ENTRY))
    assert set(COLLECTIONS) - set(PERSONAL) == {EventFact}
    assert "person" not in {field.name for field in fields(EventFact)}

"""An export of a person leaves out nothing that the ledgers keep, and says what each thing is."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel

from publisher.adapters import documents, entry_documents
from publisher.adapters.people_views import KeptDelivery, KeptEntry, shown
from publisher.domain.changes import Accepted, Claim, Timing
from publisher.domain.entries.model import (
    Asked,
    By,
    CampaignEntry,
    Capture,
    EntryState,
    Evidence,
    Flag,
    Flagged,
    MediaRef,
    Medium,
    Standing,
    Use,
    UseKind,
)
from publisher.domain.machine import fresh, step
from publisher.domain.model import Entry, Kind, Limit, Mode, Order, Scope

NOW = 1_800_000_000.0


def delivery() -> dict[str, Any]:
    """A stored reply that was sent."""
    order = Order(
        action_id="a1", event_id="e1", brand="b", platform="facebook", account="p", channel="main", target="t", parent="",
        root="r", author="u", event_kind="comment", verb="create", rule_id="rule", rule_version=1, kind=Kind.REPLY,
        mode=Mode.AUTO, not_before=0.0, expires=NOW + 60, event_time=NOW, received_time=NOW, tags=("vip",),
        limits=(Limit(Scope.THREAD, 1, 60.0),),
    )  # fmt: skip
    entry = Entry(order, fresh(order, "hello", NOW))
    document = documents.document_of(entry, 0.0)
    for change in (Claim("worker-1"), Accepted(1, "p_9")):
        moved = step(entry.position, change, NOW, Timing())
        assert moved is not None
        document["history"].append(documents.happening(entry))
        entry = replace(entry, position=moved)
    return {**documents.document_of(entry, 0.0), "history": document["history"]}


def entry() -> dict[str, Any]:
    """A stored entry that everything has happened to."""
    capture = Capture(
        entry_id="n1", event_id="e1", brand="b", campaign="summer", campaign_version=1, platform="instagram", account="p",
        channel="main", object="o", parent="", root="o", author="u", handle="ana", event_kind="post", language="en",
        text="Mine!", media=(MediaRef("image", "https://cdn.example/1"),), hashtags=("summer",), friends=("tom",),
        trigger="hashtag", eligible=True, reason="", detail="", event_time=NOW, received_time=NOW,
    )  # fmt: skip
    asked = Asked(1, By.REPLY, "a2", NOW, 1, "You let us.", (UseKind.GALLERY,), 60.0, 0.0, 600.0, answer_by=NOW + 60)
    standing = Standing(
        EntryState.FEATURED, NOW, flags=(Flagged(Flag.BOT, "five in ten seconds"),), asked=asked, granted_until=NOW + 600,
        media=(Medium("https://cdn.example/1", "f" * 64, "image/png", 9),), uses=(Use(UseKind.GALLERY, NOW, "key"),),
    )  # fmt: skip
    line = Evidence(1, NOW, EntryState.CAPTURED, object="o", text_sha256="a" * 64)
    return entry_documents.document_of(CampaignEntry(capture, standing, (line,)))


@pytest.mark.parametrize(("model", "document"), [(KeptDelivery, delivery()), (KeptEntry, entry())])
def test_the_export_says_what_is_kept_and_nothing_else(model: type[BaseModel], document: dict[str, Any]) -> None:
    kept = shown(document)
    assert set(model.model_fields) == set(kept), "every field is described"
    assert model.model_validate(kept).model_dump(mode="json") == kept


@pytest.mark.parametrize(("model", "document"), [(KeptDelivery, delivery()), (KeptEntry, entry())])
def test_what_another_release_keeps_is_exported_too(model: type[BaseModel], document: dict[str, Any]) -> None:
    exported = model.model_validate(shown({**document, "mood": "sunny"})).model_dump(mode="json")
    assert exported["mood"] == "sunny"


def test_workings_of_the_ledger_are_no_part_of_it() -> None:
    assert {"claimant", "slot", "revision", "attention_at", "older"} & set(shown(delivery())) == set()

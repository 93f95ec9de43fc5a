"""A campaign is checked whole when it is saved: every fault has its place and says what to do."""

from typing import Any

import pytest
from pydantic import ValidationError

from antiphon.problems import pointer
from rules.adapters.schema.campaign import CampaignDocument, campaign_bytes, parse_campaign


def campaign(**changes: Any) -> dict[str, Any]:
    usual = {"id": "summer", "name": "Summer", "timezone": "Europe/Berlin", "start": "2026-06-01T00:00", "hashtags": "#Summer"}
    return {**usual, **changes}


def rights(**changes: Any) -> dict[str, Any]:
    return {"terms": "You let us show it.", "request": "May we?", **changes}


def faults(document: object) -> dict[str, str]:
    with pytest.raises(ValidationError) as refused:
        CampaignDocument.model_validate(document)
    return {pointer(fault["loc"]): fault["msg"] for fault in refused.value.errors()}


@pytest.mark.parametrize(
    ("changes", "place", "told"),
    [
        ({"timezone": "Europe/Bielefeld"}, "/timezone", "Europe/Berlin"),
        ({"start": "1 June"}, "/start", "2026-06-01T00:00"),
        ({"start": "2026-06-01T00:00Z"}, "/start", "leave the offset out"),
        ({"start": "2026-03-29T02:30"}, "/start", "clocks go forward"),
        ({"end": "2026-06-01T00:00"}, "/end", "ends before it starts"),
        ({"contest": {"winners": 1}}, "/end", "a contest needs an end"),
        ({"hashtags": []}, "/hashtags", "`form: true`"),
        ({"hashtags": ["a b"]}, "/hashtags/0", "one word"),
        ({"hashtags": ["Summer", "#summer"]}, "/hashtags", "twice"),
        ({"kinds": ["reaction"]}, "/kinds", "nothing that could be entered"),
        ({"rights": {"terms": "x"}}, "/rights/request", "words by which people are asked"),
        ({"rights": rights(remind_after="8d", reminder="?")}, "/rights/remind_after", "shorter than `answer_within`"),
        ({"rights": rights(remind_after="2d")}, "/rights/reminder", "words of the reminder"),
        ({"rights": rights(request="x" * 2201)}, "/rights/request/default", "instagram allows 2200"),
        ({"rights": rights(by="private_reply", request="é" * 501)}, "/rights/request/default", "instagram allows 1000"),
        ({"rights": rights(phrases=[{"granted": ["yes"], "refused": ["Yes"]}])}, "/rights/phrases/0/granted/0", "'Yes' refuses"),
        (
            {"rights": rights(phrases=[{"granted": ["no ok"], "withdrawn": ["no"]}])},
            "/rights/phrases/0/granted/0",
            "can never grant",
        ),
        ({"rights": rights(phrases=[{"granted": ["@acme yes"]}])}, "/rights/phrases/0/granted/0", "handles"),
        ({"rights": rights(phrases=[{"granted": ["!"]}])}, "/rights/phrases/0/granted/0", "nothing of this phrase"),
        ({"rights": rights(phrases=[{"refused": ["no"]}])}, "/rights/phrases", "no phrase grants"),
        ({"eligibility": {"has": ["imagination"]}}, "/eligibility/has/0", "one of"),
        ({"prize": "a bike"}, "/prize", "there is no field 'prize' here; known are id, name, "),
        ({"caps": {"per_persn": 1}}, "/caps/per_persn", "did you mean 'per_person'?"),
    ],
)
def test_each_fault_has_its_place_and_its_remedy(changes: dict[str, Any], place: str, told: str) -> None:
    found = faults(campaign(**changes))
    assert place in found, found
    assert told in found[place]


def test_local_times_follow_the_zone_over_the_change_of_the_clocks() -> None:
    document = CampaignDocument.model_validate(campaign(start="2026-03-28T12:00", end="2026-03-29T12:00"))
    assert document.end_seconds - document.start_seconds == 23 * 3600


def test_the_canonical_form_is_stable_and_means_the_same() -> None:
    written = campaign(end="2026-07-01T00:00:00", rights=rights(phrases=[{"granted": "yes please"}]), mentions="@Acme")
    canonical = campaign_bytes(CampaignDocument.model_validate(written))
    again = parse_campaign(canonical)
    assert campaign_bytes(again) == canonical
    assert (again.hashtags, again.mentions, again.end) == (["summer"], ["acme"], "2026-07-01T00:00")

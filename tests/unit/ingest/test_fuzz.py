"""Whatever is signed and sent, the answer is never 500, and updates are neither lost nor invented."""

import asyncio
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon.errors import Invalid
from ingest.adapters.platforms.registry import serving
from ingest.domain import Event, Platform, Verb

WORDS = st.sampled_from(
    """
    object page instagram entry id time changes messaging standby field value feed mention ratings comments
    mentions item comment reaction post verb add edited remove hide from name username comment_id post_id
    parent_id created_time message text mid sender recipient timestamp is_echo is_deleted attachments type payload
    url reaction_type media photo video rating open_graph_story_id reviewer_id message_edit num_edit postback read
    100 7 1449135003
    """.split()  # noqa: SIM905 (a list of 60 literals would hide them)
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=8),
    max_leaves=25,
)
VALUES = st.dictionaries(WORDS, JSON, max_size=12)
ITEMS = st.sampled_from(["comment", "reaction", "post", "photo", "share", "rating", "like"])
FIELDS = st.sampled_from(
    ["feed", "mention", "ratings", "comments", "live_comments", "mentions", "messages", "messaging_seen", "standby", "x"]
)
CHANGES = st.fixed_dictionaries(
    {"field": FIELDS, "value": st.builds(lambda value, item: value | {"item": item, "verb": "add"}, VALUES, ITEMS) | JSON}
)
ENTRIES = st.fixed_dictionaries(
    {"id": st.sampled_from(["100", 100, "999"]) | JSON, "time": st.just(1449135003) | JSON},
    optional={
        "changes": st.lists(CHANGES | JSON, max_size=4),
        "messaging": st.lists(VALUES | JSON, max_size=4),
        "standby": st.lists(VALUES, max_size=2),
    },
)
BODIES = st.fixed_dictionaries({"object": st.sampled_from(["page", "instagram"]), "entry": st.lists(ENTRIES | JSON, max_size=3)})


@settings(max_examples=200, deadline=None, print_blob=True)
@given(st.sampled_from(["facebook", "instagram"]), BODIES | JSON | st.lists(BODIES, max_size=2))
def test_normalising_anything(platform: str, document: Any) -> None:
    adapter = serving()[platform]
    try:
        parsed = adapter.decode(orjson.dumps(document))
        results = adapter.normalise(parsed, {"100"})
    except Invalid as error:
        assert error.reason in {"bad_json", "not_an_object", "too_many_updates"}  # noqa: PT017 (most examples raise nothing)
        return
    again = adapter.normalise(parsed, {"100"})
    assert list(results) == list(again)
    assert not [one for one in results if getattr(one, "reason", None) == "bug"]
    for event in results:
        if isinstance(event, Event):
            assert event.object
            assert event.account == "100"
            assert isinstance(event.platform, Platform)
            assert isinstance(event.verb, Verb)
            assert len(event.event_id) == 64


@settings(max_examples=60, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300) | BODIES.map(orjson.dumps) | JSON.map(orjson.dumps))
async def test_answer_is_never_500(edge: Any, body: bytes) -> None:
    answers = await asyncio.gather(edge.deliver(body), edge.deliver(body, to="instagram/insta"))
    assert {answer.status_code for answer in answers} <= {200, 400}

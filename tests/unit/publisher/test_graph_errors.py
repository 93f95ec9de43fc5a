"""The Graph API's answers, as data: what each means, and that none is taken for more than it says."""

from typing import Any

import httpx
import orjson
import pytest

from publisher.adapters.platforms.errors import ERRORS, row_for
from publisher.adapters.platforms.graph import clean, interpret, path_id, usage_of
from publisher.adapters.platforms.meta import sights
from publisher.domain.calls import AlreadyThere, Answer, Denied, Done, Unclear, Untouched
from publisher.domain.model import Reason
from publisher.domain.pace import Pace, Usage, pace


def judged(status: int, body: Any, **headers: str) -> Answer:
    return interpret(httpx.Response(status, headers=headers), body, "page")


def error(code: int, subcode: int | None = None, message: str = "words") -> dict[str, Any]:
    body: dict[str, Any] = {"message": message, "type": "OAuthException", "code": code}
    return {"error": body | ({} if subcode is None else {"error_subcode": subcode})}


TABLE = [
    # code, subcode, usual status, outcome, reason, the channel rests, the credential is refused
    (1, None, 500, Unclear, None, False, False),
    (2, None, 500, Unclear, None, False, False),
    (4, None, 403, Untouched, None, True, False),
    (17, None, 403, Untouched, None, True, False),
    (32, None, 403, Untouched, None, True, False),
    (341, None, 403, Untouched, None, True, False),
    (613, None, 403, Untouched, None, True, False),
    (80001, None, 403, Untouched, None, True, False),
    (80002, None, 403, Untouched, None, True, False),
    (80006, None, 403, Untouched, None, True, False),
    (102, None, 401, Denied, Reason.CREDENTIAL, False, True),
    (190, None, 401, Denied, Reason.CREDENTIAL, False, True),
    (190, 458, 400, Denied, Reason.CREDENTIAL, False, True),
    (190, 459, 400, Denied, Reason.CREDENTIAL, False, True),
    (190, 460, 400, Denied, Reason.CREDENTIAL, False, True),
    (190, 463, 401, Denied, Reason.CREDENTIAL, False, True),
    (190, 467, 401, Denied, Reason.CREDENTIAL, False, True),
    (3, None, 403, Denied, Reason.PERMISSION, False, False),
    (10, None, 403, Denied, Reason.PERMISSION, False, False),
    (10, 2018278, 403, Denied, Reason.UNREACHABLE_PERSON, False, False),
    (200, None, 403, Denied, Reason.PERMISSION, False, False),
    (230, None, 403, Denied, Reason.PERMISSION, False, False),
    (299, None, 403, Denied, Reason.PERMISSION, False, False),
    (100, 33, 400, Denied, Reason.TARGET_GONE, False, False),
    (100, 2018001, 400, Denied, Reason.UNREACHABLE_PERSON, False, False),
    (100, None, 400, Denied, Reason.INVALID, False, False),
    (506, None, 400, AlreadyThere, None, False, False),
    (368, None, 403, Denied, Reason.POLICY, True, False),
    (1609005, None, 400, Denied, Reason.POLICY, False, False),
    (551, None, 400, Denied, Reason.UNREACHABLE_PERSON, False, False),
    (10900, None, 400, Denied, Reason.ALREADY_DONE, False, False),
    (10902, None, 400, Denied, Reason.UNSUPPORTED, False, False),
    (10903, None, 400, Denied, Reason.UNREACHABLE_PERSON, False, False),
    (2500, None, 400, Denied, Reason.INVALID, False, False),
    (104, None, 401, Denied, Reason.CREDENTIAL, False, True),
    (12, None, 400, Denied, Reason.UNSUPPORTED, False, False),
    (424242, None, 400, Denied, Reason.INVALID, False, False),
    (424242, None, 500, Unclear, None, False, False),
]


@pytest.mark.parametrize(("code", "subcode", "status", "outcome", "reason", "rests", "refused"), TABLE)
def test_the_code_decides(
    code: int, subcode: int | None, status: int, outcome: type, reason: Reason | None, rests: bool, refused: bool
) -> None:
    found = judged(status, error(code, subcode))
    assert isinstance(found.outcome, outcome)
    assert getattr(found.outcome, "reason", None) == reason
    assert (found.pause > 0, found.credential_refused) == (rests, refused)
    if isinstance(found.outcome, Untouched):
        assert not found.outcome.counts, "being turned away for a while uses up no attempt"


def test_every_row_of_the_table_is_tried_here() -> None:
    tried = {row_for(code, subcode, status) for code, subcode, status, *_ in TABLE}
    assert set(ERRORS) <= tried


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"id": "1_2"}, Done("1_2")),
        (200, {"id": 17873440459141029}, Done("17873440459141029")),
        (200, {"recipient_id": "u", "message_id": "m_1"}, Done("m_1")),
        (200, {"success": True}, Done("")),
    ],
)
def test_a_success_names_what_was_made(status: int, body: Any, outcome: Done) -> None:
    assert judged(status, body).outcome == outcome


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (200, b"<html>"), (200, b""), (200, b"[]"), (200, b"{}"), (200, b'{"success":false}'), (200, b'{"id":true}'),
        (200, b'{"error":{"code":190}}'), (201, b"null"), (302, b""), (400, b"bad"), (403, b'{"error":"no"}'), (404, b""),
        (500, b""), (502, b"<html>"), (503, b'{"error":{"code":"1"}}'), (504, b""),
    ],
)  # fmt: skip
def test_what_cannot_be_read_may_have_been_done(status: int, content: bytes) -> None:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        body = None
    assert isinstance(judged(status, body).outcome, Unclear)


def test_too_many_requests_is_not_sent_and_rests_as_asked() -> None:
    found = judged(429, None, **{"retry-after": "17"})
    assert found.outcome == Untouched("too many requests", 17.0, counts=False)
    assert found.pause == 17.0


CASES = [{"type": "pages", "call_count": 96, "total_cputime": 1, "total_time": 2, "estimated_time_to_regain_access": 3}]


def test_usage_headers_name_the_highest_share_of_the_account() -> None:
    business = orjson.dumps({"page": CASES, "other": [{"call_count": 100, "estimated_time_to_regain_access": 99}]}).decode()
    headers = httpx.Headers({"x-app-usage": '{"call_count":28,"total_time":25}', "x-business-use-case-usage": business})
    assert usage_of(headers, "page") == Usage(96.0, 180.0)
    assert usage_of(httpx.Headers({}), "page") is None
    for bad in ("[]", "{", '{"page":[1]}', '{"page":{}}', "x" * 20_000, '{"page":[{"call_count":true}]}'):
        assert usage_of(httpx.Headers({"x-business-use-case-usage": bad}), "page") is None


def test_a_rate_error_rests_as_long_as_the_platform_says() -> None:
    business = orjson.dumps({"page": CASES}).decode()
    found = judged(403, error(80001), **{"x-business-use-case-usage": business})
    assert found.pause == 180.0


def test_the_pace_follows_the_usage() -> None:
    assert pace(Usage(10)) == Pace()
    assert pace(Usage(75)) == Pace()
    assert pace(Usage(87.5)) == Pace(0.5)
    assert pace(Usage(99.9)).factor == 0.05
    assert pace(Usage(100)).pause > 0
    assert pace(Usage(50, 120)) == Pace(0.05, 120)


def test_words_of_the_platform_are_cut_and_cleaned() -> None:
    assert clean("a\nb\u202ec access_token=secret x" + "y" * 999) == ("abc access_token=*** x" + "y" * 999)[:300]


@pytest.mark.parametrize("bad", ["", "../1", "1/comments", "1?x=1", "a b", "1..2", "x" * 300, "ä", "1\n2"])
def test_an_id_cannot_leave_its_place_in_the_path(bad: str) -> None:
    with pytest.raises(Exception, match="form"):
        path_id(bad)


def test_sights_are_ours_alone_and_on_our_clock() -> None:
    rows = [
        {"id": "1", "from": {"id": "page"}, "created_time": "2026-03-02T12:00:00+0000"},
        {"id": "2", "from": {"id": "someone"}, "created_time": "2026-03-02T12:00:00+0000"},
        {"id": "3", "from": {"id": "page"}, "created_time": "yesterday"},
        {"id": "4"},
        "garbage",
    ]
    assert [(sight.platform_id, sight.at) for sight in sights(rows, "page", "created_time", 10.0)] == [("1", 1772452790.0)]
    assert sights({"no": "list"}, "page", "created_time", 0.0) == []

"""From a decision to the gallery and a post, and back to nothing when the rights end."""

import asyncio
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

import contest
from antiphon.times import to_timestamp
from antiphon.v1.decision_pb2 import ConsentAnswer
from antiphon_cli.app import build

pytestmark = pytest.mark.local

GRANTED, REFUSED = ConsentAnswer.CONSENT_ANSWER_GRANTED, ConsentAnswer.CONSENT_ANSWER_REFUSED


async def test_entered_asked_granted_shown_posted_revoked_gone(party: Any) -> None:
    await party.started("campaigns", "worker", "api")
    stage = party.stage
    comment = stage.network.comment("facebook", stage.account, "Mine! #AcmeSummer")
    entering = party.entering(comment)
    entry_id = entering.actions[0].action_id
    await stage.decide(entering, entering)
    assert await party.reaches(entry_id, "rights_requested") == ["captured", "eligible", "rights_requested"]
    one = f"/entries/{entry_id}"
    await party.until(lambda: _request_stands(party, one))
    assert stage.network.replies()[comment] == 1
    await party.until(lambda: _stored(party, one))

    await stage.decide(party.consent(comment, GRANTED, author="somebody-else"), party.consent(comment, GRANTED))
    await party.reaches(entry_id, "granted")
    line = (await party.api("GET", one)).json()["evidence"][-1]
    assert (line["object"], line["text_sha256"], line["terms_version"]) == (f"said-{comment}-{GRANTED}", "a" * 64, 1)
    shown = (await party.api("GET", "/gallery")).json()["items"]
    (medium,) = shown[0]["media"]
    picture = await party.get(medium["path"])
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    assert hashlib.sha256(picture.content).hexdigest() == medium["sha256"]
    assert medium["path"] in (await party.get(f"/g/{stage.brand}/summer")).text

    posted = await party.api("POST", f"{one}:feature", {"use": "post", "caption": "Look!"})
    assert posted.status_code == 200, posted.text
    await party.reaches(entry_id, "featured")
    assert _photos(stage) == [f"{party.url}{medium['path']}"]
    again = await party.api("POST", f"{one}:feature", {"use": "post", "caption": "Look!"})
    assert again.status_code == 200, again.text

    revoked = await party.api("POST", f"{one}:revoke", {"reason": "asked by mail"})
    assert (revoked.status_code, revoked.json()["state"]) == (200, "revoked"), revoked.text
    assert revoked.json()["uses"][0]["removal"]
    assert (await party.api("GET", "/gallery")).json()["items"] == []
    assert (await party.get(medium["path"])).status_code == 404
    assert "/media/" not in (await party.get(f"/g/{stage.brand}/summer")).text
    await party.until(lambda: _no_photos(stage))
    assert (await party.api("POST", f"{one}:feature", {"use": "post"})).status_code == 409
    await stage.decide(entering, party.consent(comment, GRANTED))
    await party.reaches(entry_id, "revoked")
    assert party.states(entry_id) == ["captured", "eligible", "rights_requested", "granted", "featured", "revoked"]
    assert stage.network.replies()[comment] == 1


async def _request_stands(party: Any, one: str) -> bool:
    return bool((await party.api("GET", one)).json()["request"]["platform_id"])


async def _stored(party: Any, one: str) -> bool:
    return bool((await party.api("GET", one)).json()["media"][0]["sha256"])


def _photos(stage: Any) -> list[str]:
    photos: dict[str, str] = stage.network.client.get("/control/stats", params={"detail": "true"}).json()["photos"]
    return [photo for photo in photos.values() if stage.env["PUBLISHER_PUBLIC_URL"] in photo]


async def _no_photos(stage: Any) -> bool:
    return not _photos(stage)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("point", ["publisher.after_captured", "publisher.before_entry_told", "publisher.before_entry_marked"])
async def test_killed_and_restarted_nothing_is_lost_and_nothing_doubled(party: Any, point: str) -> None:
    process = party.start("campaigns", FAILPOINT=f"{point}:kill")
    entering = party.entering("comment-1")
    await party.stage.decide(entering)
    await party.stage.died(process, 60.0)
    party.start("campaigns")
    await party.stage.decide(entering)
    entry_id = entering.actions[0].action_id
    assert await party.reaches(entry_id, "rights_requested", 60.0) == ["captured", "eligible", "rights_requested"]


async def test_a_contest_is_drawn_once_after_its_close_and_everybody_can_check_it(party: Any, tmp_path: Path) -> None:
    await party.started("campaigns", "api")
    assert (await party.api("POST", "/contest:draw")).status_code == 409, "nothing was committed to"
    committed = (await party.api("POST", "/contest:commit")).json()
    assert (await party.api("POST", "/contest:commit")).json() == committed
    decisions = [party.entering(f"c{number}", author=f"u{number % 4}", shade=number) for number in range(8)]
    await party.stage.decide(*decisions)
    for decision in decisions:
        await party.reaches(decision.actions[0].action_id, "rights_requested")
    await party.stage.decide(party.deletion("c0"), party.deletion("c4"))  # both of one person
    await party.reaches(decisions[0].actions[0].action_id, "ineligible")
    await party.reaches(decisions[4].actions[0].action_id, "ineligible")
    theirs = (await party.brand("GET", "/people/facebook:u1/entries")).json()["items"]
    assert {one["id"] for one in theirs} == {decisions[n].actions[0].action_id for n in (1, 5)}
    assert [line["state"] for line in theirs[0]["evidence"]] == ["captured", "eligible", "rights_requested"]
    assert (await party.api("POST", "/contest:draw")).status_code == 409, "it has not closed"
    assert (await party.api("GET", "/contest/certificate")).status_code == 404
    await party.configure(end=to_timestamp(datetime.now(UTC)))
    drawn = await party.until(lambda: _drawn(party))
    document = contest.load(drawn)
    assert contest.verify(document) == []
    assert (document["commitment"]["sha256"], document["count"]) == (committed["commitment"], 3)
    assert (await party.api("POST", "/contest:draw")).content == drawn
    assert (await party.api("GET", "/contest/certificate")).content == drawn
    file = tmp_path / "certificate.json"
    named = orjson.loads(await _command(party, "draw", "summer", "--output", file, "--json"))
    assert file.read_bytes() == drawn
    assert [one["entry_id"] for one in named] == [one["entry"] for one in (*document["winners"], *document["alternates"])]
    left_out = (await _command(party, "entries", "summer", "--state", "ineligible", "--json")).splitlines()
    assert {orjson.loads(line)["entry_id"] for line in left_out} == {decisions[n].actions[0].action_id for n in (0, 4)}


async def _command(party: Any, *words: object) -> str:
    """Run `antiphon campaign …` to its end; return what it prints."""
    env = {"ANTIPHON_URL": party.url, "ANTIPHON_KEY": party.token, "ANTIPHON_BRAND": party.stage.brand, "NO_PROXY": "*"}
    argv = ["campaign", *map(str, words)]
    ended = await asyncio.to_thread(CliRunner().invoke, build(), argv, env={**env, "XDG_CONFIG_HOME": str(party.stage.directory)})
    assert ended.exit_code == 0, ended.stderr
    return ended.stdout


async def _drawn(party: Any) -> bytes:
    answer = await party.api("POST", "/contest:draw")
    return bytes(answer.content) if answer.status_code == 200 else b""

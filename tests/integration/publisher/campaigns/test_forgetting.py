"""A person who entered a campaign: shown what is kept, then forgotten; everybody else's entries and all totals stay."""

import hashlib
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bson
import httpx
import obstore
import pytest
from obstore.store import S3Store
from pydantic import SecretStr

from antiphon.clock import SystemClock
from antiphon.erasures import MongoErasures, author_owner
from antiphon.mongo import Database, connect
from antiphon.persons import PersonIndex
from antiphon.seal import Sealer, parse_keys
from antiphon.settings import MongoSettings
from antiphon.times import to_timestamp
from antiphon.topics import CONFIG
from antiphon.v1.config_pb2 import CampaignCaps, ConfigRecord, PersonConfig
from antiphon.v1.decision_pb2 import ConsentAnswer, Decision, Mode
from antiphon_local.objects import BUCKET, REGION

pytestmark = pytest.mark.local

AUTHOR, WORD, FRIEND = "canary-90210", "xylophone", "quaggason"
CANARIES = [canary.encode() for canary in (AUTHOR, WORD, FRIEND)]
PERSON_KEY = "a key for references, for tests alone"
OWN, SHARED, POSTED = 7, 8, "the picture of the week"


@pytest.fixture
async def database(party: Any) -> AsyncIterator[Database]:
    env = party.stage.env
    client, found = connect(MongoSettings(mongo_uri=SecretStr(env["MONGO_URI"]), mongo_database=env["MONGO_DATABASE"]))
    yield found
    client.close()


@pytest.fixture(params=["directory", "s3"])
def kept(request: pytest.FixtureRequest, party: Any, tmp_path: Path, unique_name: Callable[[str], str]) -> Callable[[str], bool]:
    """Whether the store of media that the processes share has a file."""
    if request.param == "directory":
        return lambda sha256: (tmp_path / "media" / sha256[:2] / sha256).exists()
    objects, prefix = request.getfixturevalue("object_store"), unique_name("media")
    del party.stage.env["PUBLISHER_MEDIA_DIRECTORY"]
    given = {"bucket": BUCKET, "endpoint": objects.address, "region": REGION, "prefix": prefix}
    given |= {"access_key": objects.access_key, "secret_key": objects.secret_key}
    party.stage.env |= {f"PUBLISHER_MEDIA_S3_{name.upper()}": value for name, value in given.items()} | {"NO_PROXY": "*"}
    keys: Any = {"access_key_id": objects.access_key, "secret_access_key": objects.secret_key, "region": REGION}
    bucket = S3Store(BUCKET, prefix=prefix, endpoint=objects.address, client_options={"allow_http": True}, **keys)

    def has(sha256: str) -> bool:
        return any(one["path"].endswith(sha256) for page in obstore.list(bucket) for one in page)

    return has


async def test_who_entered_is_shown_what_is_kept_and_then_forgotten_with_all_media(
    party: Any, database: Database, kept: Callable[[str], bool]
) -> None:
    party.stage.env["PERSON_KEY"] = PERSON_KEY
    tokens = {"admin": party.token, "approver": await party.key("approver"), "foreign": await party.key("admin", "foreign")}
    await party.configure(caps=CampaignCaps(per_person=5))
    await party.started("campaigns", "worker", "api")
    entries, waiting = await entered(party)
    await check_exports(party, tokens, entries[:2], waiting)
    own, shared = map(party.pictures.sha256, (OWN, SHARED))
    known = {name: set(await database[name].distinct("_id")) for name in ("entries", "deliveries")}
    assert await naming(database), "else the search proves nothing"
    assert (kept(own), kept(shared)) == (True, True)
    await check_served(party, own, shared)

    await forget(party, database)

    assert await naming(database) == []
    assert not kept(own)
    assert kept(shared), "somebody else entered the same picture"
    assert (await party.get(f"/media/{own}")).status_code == 404
    await party.until(lambda: no_photo(party))
    states = {one["entry_id"]: one["state"] for one in (await party.api("GET", "/entries")).json()["items"]}
    assert [states[name] for name in entries] == ["revoked", "ineligible", "rights_requested"]
    assert (await asked(party, party.token, "/entries")).json() == {"items": [], "next": None}
    assert (await asked(party, party.token, "/deliveries")).json() == {"items": [], "next": None}
    for name, ids in known.items():
        assert ids <= set(await database[name].distinct("_id")), f"totals of {name} stay"
    approved = await asked(party, party.token, "", "POST", f"/v1/deliveries/{waiting}:approve")
    assert approved.status_code == 409, "what waited for a yes is not sent to somebody who was forgotten"


async def entered(party: Any) -> tuple[list[str], str]:
    """The person enters twice, somebody else once with the same picture; one is posted, one answer waits for a person.

    Return the entries' ids, and the waiting action's.
    """
    stage = party.stage
    comments = [stage.network.comment("facebook", stage.account, "Mine! #AcmeSummer") for _ in range(4)]
    more = {"text": f"My {WORD}!", "friends": [FRIEND]}
    decisions = [
        party.entering(comments[0], author=AUTHOR, shade=OWN, **more),
        party.entering(comments[1], author=AUTHOR, shade=SHARED, **more),
        party.entering(comments[2], author="somebody-else", shade=SHARED),
    ]
    names = [decision.actions[0].action_id for decision in decisions]
    reply: Decision = stage.decision(comments[3], mode=Mode.MODE_APPROVAL, text=f"What a {WORD}!")
    reply.author.id = AUTHOR
    await stage.decide(*decisions, reply)
    for name in names:
        await party.reaches(name, "rights_requested")
        await party.until(lambda name=name: settled(party, name))
    await stage.decide(party.consent(comments[0], ConsentAnswer.CONSENT_ANSWER_GRANTED, author=AUTHOR))
    await party.reaches(names[0], "granted")
    posted = await party.api("POST", f"/entries/{names[0]}:feature", {"use": "post", "caption": POSTED})
    assert posted.status_code == 200, posted.text
    await party.reaches(names[0], "featured")
    return names, reply.actions[0].action_id


async def check_served(party: Any, granted: str, only_kept: str) -> None:
    """Being kept shows nothing to anybody; what is granted is served, for no cache to keep."""
    picture = await party.get(f"/media/{granted}")
    assert (picture.status_code, hashlib.sha256(picture.content).hexdigest()) == (200, granted)
    assert (picture.headers["content-type"], picture.headers["cache-control"]) == ("image/png", "no-store")
    assert picture.headers["x-content-type-options"] == "nosniff"
    assert (await party.get(f"/media/{only_kept}")).status_code == 404


async def check_exports(party: Any, tokens: dict[str, str], entries: list[str], waiting: str) -> None:
    """What each ledger has of the person and nobody else, page by page, for an administrator of the brand alone."""
    for path in ("/entries", "/deliveries"):
        answers = {role: (await asked(party, token, path)).status_code for role, token in tokens.items()}
        assert answers == {"admin": 200, "approver": 403, "foreign": 404}, path
    found = await exported(party, "/entries")
    assert [one["id"] for one in found] == sorted(entries)
    assert {(one["author"], one["text"], *one["friends"]) for one in found} == {(AUTHOR, f"My {WORD}!", FRIEND)}
    assert {medium["sha256"] for one in found for medium in one["media"]} == set(map(party.pictures.sha256, (OWN, SHARED)))
    requests = [action for one in found for action in one["actions"]]
    sent = await exported(party, "/deliveries")
    assert {one["author"] for one in sent} == {AUTHOR}
    assert {waiting, *requests} <= {one["id"] for one in sent}
    texts = [one["text"] for one in sent]
    assert {f"What a {WORD}!", POSTED} <= set(texts)


async def exported(party: Any, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        page = (await asked(party, party.token, f"{path}?limit=1&after={after}")).json()
        assert len(page["items"]) <= 1
        found += page["items"]
        after = page["next"]
    return found


async def asked(party: Any, token: str, path: str, method: str = "GET", whole: str = "") -> httpx.Response:
    """Ask about the person, or for a path of its own."""
    where = whole or f"/v1/brands/{party.stage.brand}/people/facebook:{AUTHOR}{path}"
    async with httpx.AsyncClient(trust_env=False, timeout=20.0) as http:
        return await http.request(method, party.url + where, headers={"Authorization": f"Bearer {token}"})


async def forget(party: Any, database: Database) -> None:
    """Ask as the API of the rules does, wait until both ledgers say that they are done, and take the name out again."""
    brand, sealer = party.stage.brand, Sealer(parse_keys(SecretStr(party.stage.env["SEAL_KEYS"])))
    reference = PersonIndex(SecretStr(PERSON_KEY)).reference(brand, "facebook", AUTHOR)
    moment = datetime.now(UTC).replace(microsecond=0)
    sealed = sealer.seal(SecretStr(f"facebook:{AUTHOR}"), author_owner(brand)).encode()
    notes = MongoErasures(database, SystemClock())
    for name in (sealed, b""):
        config = PersonConfig(brand=brand, person=reference, sealed_author=name, asked_time=to_timestamp(moment))
        record = ConfigRecord(generation=time.time_ns(), person=config).SerializeToString()
        await party.stage.producer.send_and_wait(CONFIG, record, key=f"person/{brand}/{reference}".encode())
        await party.until(lambda: done(notes, reference, moment))


async def done(notes: MongoErasures, reference: str, moment: datetime) -> bool:
    times = await notes.done(reference, moment)
    return times["publisher"] is not None and times["entries"] is not None


async def naming(database: Database) -> list[str]:
    """The documents that name or quote the person."""
    found: list[str] = []
    for name in await database.list_collection_names():
        async for document in database[name].find({}):
            if any(canary in bson.encode(document) for canary in CANARIES):
                found.append(f"{name}/{document['_id']}")
    return found


async def settled(party: Any, entry_id: str) -> bool:
    """Whether the request stands and the picture is stored."""
    found = (await party.api("GET", f"/entries/{entry_id}")).json()
    return bool(found["request"]["platform_id"]) and all(medium["sha256"] for medium in found["media"])


async def no_photo(party: Any) -> bool:
    stats = party.stage.network.client.get("/control/stats", params={"detail": "true"}).json()
    return not any(party.url in photo for photo in stats["photos"].values())

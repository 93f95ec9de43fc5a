"""API keys: shown once, hashed, limited by their creator, rotated with overlap, revoked at once."""

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import MongoClient


def with_token(api: Any, token: str) -> Any:
    return type(api.admin)(api.http, token)


async def test_a_token_is_shown_once_and_kept_nowhere(rules_api: Any, states_of: Any, unique_name: Callable[[str], str]) -> None:
    brand = unique_name("acme")
    made = (await rules_api.admin.post("/v1/keys", {"name": "bot", "brands": [brand], "role": "viewer"})).json()
    token, key_id = made["token"], made["key_id"]
    secret = token.removeprefix(f"ak_{key_id}_")
    assert len(secret) >= 43
    for path in ("/v1/keys", f"/v1/keys/{key_id}"):
        answer = await rules_api.admin.get(path)
        assert key_id in answer.text
        assert secret not in answer.text
        assert "sha256" not in answer.text
    client: MongoClient[dict[str, Any]] = MongoClient(rules_api.settings.mongo_uri.get_secret_value())
    with client:
        database = client[rules_api.settings.mongo_database]
        kept = repr([list(database[name].find()) for name in database.list_collection_names()])
    assert key_id in kept
    assert secret not in kept
    [published] = await states_of(f"api_key//{key_id}")
    assert secret.encode() not in published.SerializeToString()
    assert (published.api_key.role, list(published.api_key.brands)) == ("viewer", [brand])


async def test_no_key_grants_more_than_its_creator_has(rules_api: Any, unique_name: Callable[[str], str]) -> None:
    mine, other = unique_name("mine"), unique_name("other")
    made = await rules_api.admin.post("/v1/keys", {"name": "short", "brands": [mine], "role": "admin", "expires_days": 3})
    creator = with_token(rules_api, made.json()["token"])
    wanted = {"name": "x", "brands": [mine], "role": "viewer"}
    assert (await creator.post("/v1/keys", {**wanted, "brands": [mine, other]})).status_code == 404
    assert (await creator.post("/v1/keys", {**wanted, "brands": ["*"]})).status_code == 403
    assert (await creator.post("/v1/keys", {**wanted, "expires_days": 4})).status_code == 403
    inherited = (await creator.post("/v1/keys", wanted)).json()
    assert inherited["expires_time"] == made.json()["expires_time"]
    assert (await creator.post("/v1/keys", {**wanted, "role": "owner"})).status_code == 422


async def test_a_revoked_key_opens_nothing(rules_api: Any, eventually: Any, unique_name: Callable[[str], str]) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    made = (await rules_api.admin.post("/v1/keys", {"name": "bot", "brands": [brand], "role": "viewer"})).json()
    holder = with_token(rules_api, made["token"])
    assert (await holder.get(f"/v1/brands/{brand}")).status_code == 200
    revoked = await rules_api.admin.send("DELETE", f"/v1/keys/{made['key_id']}", match=1)
    assert (revoked.status_code, revoked.json()["revoked"], revoked.json()["live"]) == (200, True, True)

    async def shut() -> bool:
        return (await holder.get(f"/v1/brands/{brand}")).status_code == 401

    await eventually(shut, "the revoked key is refused")


async def test_a_rotated_key_works_until_the_overlap_ends(rules_api: Any, unique_name: Callable[[str], str]) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    made = (await rules_api.admin.post("/v1/keys", {"name": "bot", "brands": [brand], "role": "editor"})).json()
    assert (await rules_api.admin.post(f"/v1/keys/{made['key_id']}:rotate", match=7)).status_code == 412
    answer = await rules_api.admin.post(f"/v1/keys/{made['key_id']}:rotate", {"overlap_hours": 2}, match=1)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    successor, old = answer.json()["key"], answer.json()["old"]
    assert (successor["role"], successor["brands"], successor["name"]) == ("editor", [brand], "bot")
    left = datetime.fromisoformat(old["expires_time"]) - datetime.now(UTC)
    assert timedelta(hours=1, minutes=55) < left <= timedelta(hours=2)
    for token in (made["token"], successor["token"]):
        assert (await with_token(rules_api, token).get(f"/v1/brands/{brand}")).status_code == 200
    ended = await rules_api.admin.post(f"/v1/keys/{successor['key_id']}:rotate", {"overlap_hours": 0}, match=1)
    assert ended.status_code == 201
    assert (await with_token(rules_api, successor["token"]).get(f"/v1/brands/{brand}")).status_code == 401
    again = await rules_api.admin.post(f"/v1/keys/{successor['key_id']}:rotate", match="*")
    assert (again.status_code, again.json()["code"]) == (409, "ended")


async def test_a_key_made_by_the_command_works_in_a_running_api(
    rules_api: Any, local_env: dict[str, str], eventually: Any, unique_name: Callable[[str], str]
) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rules", "key", "--brands", brand, "--role", "viewer", "--expires-days", "1"),
        env={**local_env, "MONGO_DATABASE": rules_api.settings.mongo_database},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await command.communicate()
    assert command.returncode == 0, errors.decode()
    token = output.decode().strip()
    assert token not in errors.decode()
    holder = with_token(rules_api, token)

    async def opens() -> bool:
        return (await holder.get(f"/v1/brands/{brand}")).status_code == 200

    await eventually(opens, "the command's key is known")
    assert (await holder.get("/v1/keys")).status_code == 403

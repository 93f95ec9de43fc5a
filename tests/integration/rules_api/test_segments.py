"""Segments: people that rules name together, from the API to the topic."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest_asyncio

from rules.entities import MAX_PEOPLE, MAX_SEGMENTS


@pytest_asyncio.fixture(loop_scope="session")
async def path(rules_api: Any, unique_name: Callable[[str], str]) -> str:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    return f"/v1/brands/{brand}/segments"


async def test_a_segment_is_made_changed_and_forgotten(rules_api: Any, on_topic: Any, states_of: Any, path: str) -> None:
    brand = path.split("/")[3]
    editor = await rules_api.caller("editor", brand)
    made = await editor.put(f"{path}/vip", {"authors": ["instagram:8100", "facebook:7001", "instagram:8100"]})
    assert (made.status_code, made.json()["size"], made.json()["live"], made.headers["etag"]) == (200, 2, True, '"1"')
    read = await editor.get(f"{path}/vip")
    assert (read.json()["authors"], read.headers["etag"]) == (["facebook:7001", "instagram:8100"], '"1"')

    added = await editor.post(f"{path}/vip:add", {"authors": ["facebook:1", "facebook:7001"]}, match=1)
    assert (added.status_code, added.json()["size"]) == (200, 3)
    removed = await editor.post(f"{path}/vip:remove", {"authors": ["facebook:7001", "facebook:999"]}, match=2)
    assert (removed.status_code, removed.json()["size"], removed.headers["etag"]) == (200, 2, '"3"')
    assert [list(found.segment.authors) for found in await states_of(f"segment/{brand}/vip")] == [
        ["facebook:7001", "instagram:8100"],
        ["facebook:1", "facebook:7001", "instagram:8100"],
        ["facebook:1", "instagram:8100"],
    ]

    gone = await editor.send("DELETE", f"{path}/vip", match=3)
    assert (gone.status_code, gone.json()["deleted"]) == (200, True)
    assert (await editor.get(f"{path}/vip")).status_code == 404
    newest = (await on_topic(f"segment/{brand}/vip"))[-1].record
    assert (newest.generation, newest.segment.deleted, list(newest.segment.authors)) == (4, True, [])
    again = await editor.put(f"{path}/vip", {"authors": []})
    assert (again.status_code, again.json()["generation"]) == (200, 5)

    log = (await rules_api.admin.get(f"/v1/brands/{brand}/audit")).json()
    told = [(entry["action"], entry["detail"].get("size")) for entry in log["items"] if entry["target"].startswith("segment/")]
    assert told == [
        ("segment.put", 2),
        ("segment.add", 3),
        ("segment.remove", 2),
        ("segment.delete", None),
        ("segment.put", 0),
    ]
    assert "facebook:7001" not in str(log), "the log that cannot be erased names nobody"


async def test_nobody_overwrites_what_they_have_not_seen(rules_api: Any, path: str) -> None:
    one = {"authors": ["facebook:1"]}
    assert (await rules_api.admin.put(f"{path}/vip", one, match=1)).status_code == 412
    made = await asyncio.gather(*(rules_api.admin.put(f"{path}/vip", one) for _ in range(4)))
    assert sorted(answer.status_code for answer in made) == [200, 428, 428, 428]
    assert (await rules_api.admin.put(f"{path}/vip", one)).json()["code"] == "precondition_required"
    assert (await rules_api.admin.put(f"{path}/vip", one, match=1)).status_code == 200
    for method, name, body in (
        ("PUT", "vip", one),
        ("POST", "vip:add", one),
        ("POST", "vip:remove", one),
        ("DELETE", "vip", None),
    ):
        stale = await rules_api.admin.send(method, f"{path}/{name}", json=body, match=1)
        assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile"), name
        if name != "vip" or method == "DELETE":
            assert (await rules_api.admin.send(method, f"{path}/{name}", json=body)).status_code == 428, name


async def test_additions_at_the_same_time_all_arrive(rules_api: Any, path: str) -> None:
    await rules_api.admin.put(f"{path}/vip", {"authors": []})
    people = [f"facebook:{number}" for number in range(8)]
    added = await asyncio.gather(*(rules_api.admin.post(f"{path}/vip:add", {"authors": [one]}, match="*") for one in people))
    assert {answer.status_code for answer in added} == {200}
    assert (await rules_api.admin.get(f"{path}/vip")).json()["authors"] == people


async def test_a_full_segment_fits_the_topic_and_no_more_goes_in(rules_api: Any, on_topic: Any, path: str) -> None:
    longest = [f"instagram:{number:064d}" for number in range(MAX_PEOPLE)]
    full = await rules_api.admin.put(f"{path}/crowd", {"authors": longest})
    assert (full.status_code, full.json()["size"], full.json()["live"]) == (200, MAX_PEOPLE, True)
    more = await rules_api.admin.post(f"{path}/crowd:add", {"authors": ["facebook:1"]}, match=1)
    assert (more.status_code, more.json()["code"]) == (409, "list_full")
    assert (await rules_api.admin.post(f"{path}/crowd:add", {"authors": longest[:3]}, match=1)).status_code == 200
    over = await rules_api.admin.put(f"{path}/other", {"authors": [*longest, "facebook:1"]})
    assert (over.status_code, over.json()["errors"][0]["pointer"]) == (422, "/authors")
    brand = path.split("/")[3]
    assert len((await on_topic(f"segment/{brand}/crowd"))[-1].record.segment.authors) == MAX_PEOPLE


async def test_a_brand_has_so_many_segments_in_pages(rules_api: Any, path: str) -> None:
    names = [f"s-{number:02d}" for number in range(MAX_SEGMENTS)]
    for name in names:
        assert (await rules_api.admin.put(f"{path}/{name}", {"authors": []})).status_code == 200
    refused = await rules_api.admin.put(f"{path}/one-more", {"authors": []})
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many")
    assert (await rules_api.admin.put(f"{path}/s-00", {"authors": ["facebook:1"]}, match=1)).status_code == 200
    assert (await rules_api.admin.send("DELETE", f"{path}/s-49", match=1)).status_code == 200
    assert (await rules_api.admin.put(f"{path}/one-more", {"authors": []})).status_code == 200

    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = (await rules_api.admin.get(path, params={"after": after, "limit": 20})).json()
        seen += [item["segment"] for item in page["items"]]
        after = page["next"]
    assert seen == sorted([*names[:-1], "one-more"])


async def test_people_have_one_form(rules_api: Any, path: str) -> None:
    for person in ("", "facebook", "facebook:", "nowhere:1", "facebook:a b", "facebook:" + "x" * 65, 7, {"$gt": ""}):
        refused = await rules_api.admin.put(f"{path}/vip", {"authors": ["facebook:1", person]})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/authors/1"), person

"""Lists: `items` and `next` everywhere, in one order, filtered."""

from collections.abc import Callable
from typing import Any


async def pages(api: Any, path: str, **params: Any) -> list[Any]:
    """Return all items, read in pages of two."""
    found: list[Any] = []
    after: Any = ""
    while after is not None:
        page = (await api.admin.get(path, params={**params, "limit": 2, **({"after": after} if after else {})})).json()
        assert set(page) >= {"items", "next"}, path
        assert len(page["items"]) <= 2
        found += page["items"]
        after = page["next"]
    return found


async def test_every_list_is_read_in_pages(rules_api: Any, unique_name: Callable[[str], str], rule_document: Any) -> None:
    brand = unique_name("acme")
    path = f"/v1/brands/{brand}"
    await rules_api.brand(brand)
    for number in range(5):
        await rules_api.admin.post(f"{path}/rules", rule_document(f"r-{number}"))
        await rules_api.admin.put(f"{path}/segments/s-{number}", {"authors": []})
        account = {"platform": "instagram", "account": f"{brand}-{number}", "name": "Shop"}
        await rules_api.admin.put(f"{path}/channels/c-{number}", account)
        await rules_api.admin.post("/v1/keys", {"name": "k", "brands": [brand], "role": "viewer"})
    for name, field in (("rules", "rule_id"), ("segments", "segment"), ("channels", "channel")):
        found = await pages(rules_api, f"{path}/{name}")
        assert [item[field] for item in found] == [f"{name[0]}-{number}" for number in range(5)]
    keys = [item["key_id"] for item in await pages(rules_api, "/v1/keys") if item["brands"] == [brand]]
    assert keys == sorted(keys)
    assert len(keys) == 5
    assert [entry["sequence"] for entry in await pages(rules_api, f"{path}/audit")] == list(range(1, 22))


async def test_rules_are_found_by_state_text_and_time(
    rules_api: Any, unique_name: Callable[[str], str], rule_document: Any
) -> None:
    brand = unique_name("acme")
    path = f"/v1/brands/{brand}/rules"
    await rules_api.brand(brand)
    for rule_id, name in (("price", "Answer PRICE questions"), ("thanks", "Say thanks"), ("vip-x", "VIPs (50%)")):
        await rules_api.admin.post(path, rule_document(rule_id, name=name))
    read = (await rules_api.admin.get(f"{path}/thanks")).json()
    await rules_api.admin.post(f"{path}/price:archive", match=1)

    async def ids(**params: Any) -> list[str]:
        return [item["rule_id"] for item in await pages(rules_api, path, **params)]

    assert await ids(state="draft") == ["thanks", "vip-x"]
    assert await ids(q="price") == ["price"]
    assert await ids(q="QUESTIONS") == ["price"]
    assert await ids(q="vip-") == ["vip-x"]
    assert await ids(q="(50%)") == ["vip-x"]
    assert await ids(q=".*") == []
    assert await ids(changed_after=read["changed_time"]) == ["price", "vip-x"]
    assert await ids(changed_after=read["changed_time"], state="archived", q="answer") == ["price"]
    assert (await rules_api.admin.get(path, params={"changed_after": "2026-03-02T12:00:00"})).status_code == 422


async def test_rules_are_listed_with_their_newest_documents_where_asked_for(
    rules_api: Any, unique_name: Callable[[str], str], rule_document: Any
) -> None:
    brand = unique_name("acme")
    path = f"/v1/brands/{brand}/rules"
    await rules_api.brand(brand)
    for rule_id in ("a", "b", "c"):
        await rules_api.admin.post(path, rule_document(rule_id))
    await rules_api.admin.put(f"{path}/b", rule_document("b", name="Second thoughts"), match=1)
    found = await pages(rules_api, path, documents="true")
    read = [(await rules_api.admin.get(f"{path}/{rule_id}")).json() for rule_id in ("a", "b", "c")]
    assert found == read
    assert found[1]["document"]["name"] == "Second thoughts"
    assert all("document" not in item for item in await pages(rules_api, path))

"""A brand's disclosures, own words and own model; the model's token goes in and never comes out."""

from collections.abc import Callable
from typing import Any

import pytest
from pymongo import MongoClient

from antiphon.seal import Sealer, SealError, parse_keys
from rules.entities import understanding_owner

TOKEN = "s3cret-of-the-model"
SETTINGS = {
    "disclosures": {"default": "(automatic answer)", "pt-BR": "(resposta automática)"},
    "flag_terms": [
        {"flag": "purchase_intent", "language": "en", "terms": ["drop date", "restock"]},
        {"flag": "spam", "language": "*", "terms": ["f4f"]},
    ],
    "understanding": {"url": "https://models.acme.example/understand", "timeout_ms": 150, "token": TOKEN},
}
SHOWN = {**SETTINGS, "understanding": {"url": "https://models.acme.example/understand", "timeout_ms": 150, "has_token": True}}


def shown(answer: Any) -> dict[str, Any]:
    return {name: answer.json()[name] for name in SETTINGS}


async def test_settings_reach_the_topic_and_come_back_without_the_token(
    rules_api: Any, on_topic: Any, unique_name: Callable[[str], str]
) -> None:
    brand = unique_name("acme")
    path = f"/v1/brands/{brand}"
    made = await rules_api.admin.post("/v1/brands", {"id": brand, "name": "Acme", **SETTINGS})
    assert (made.status_code, shown(made)) == (201, SHOWN)
    read = await rules_api.admin.get(path)
    assert shown(read) == SHOWN
    log = await rules_api.admin.get(f"{path}/audit")
    assert log.json()["items"][0]["detail"]["understanding"]["token"] == "new"
    assert log.json()["intact"] is True
    assert TOKEN not in made.text + read.text + log.text

    record = (await on_topic(f"brand/{brand}/"))[-1].record.brand
    assert dict(record.disclosures) == SETTINGS["disclosures"]
    assert [(one.flag, one.language, list(one.terms)) for one in record.flag_terms] == [
        ("purchase_intent", "en", ["drop date", "restock"]),
        ("spam", "*", ["f4f"]),
    ]
    assert (record.understanding.url, record.understanding.timeout_ms) == ("https://models.acme.example/understand", 150)
    sealer = Sealer(parse_keys(rules_api.settings.seal_keys))
    sealed = record.understanding.sealed_token.decode()
    assert sealer.open(sealed, understanding_owner(brand)).get_secret_value() == TOKEN
    with pytest.raises(SealError):
        sealer.open(sealed, understanding_owner("another-brand"))
    client: MongoClient[dict[str, Any]] = MongoClient(rules_api.settings.mongo_uri.get_secret_value())
    with client:
        database = client[rules_api.settings.mongo_database]
        assert TOKEN not in repr([list(database[name].find()) for name in database.list_collection_names()])


async def test_what_is_left_out_stays(rules_api: Any, unique_name: Callable[[str], str]) -> None:
    brand = unique_name("acme")
    await rules_api.admin.post("/v1/brands", {"id": brand, "name": "Acme", **SETTINGS})
    changed = await rules_api.admin.send("PATCH", f"/v1/brands/{brand}", json={"name": "Other"}, match=1)
    assert (changed.json()["name"], shown(changed)) == ("Other", SHOWN)
    held = await rules_api.admin.post(f"/v1/brands/{brand}/hold", {"reason": "a storm"}, match=2)
    assert shown(held) == SHOWN
    emptied = {"disclosures": {}, "flag_terms": [], "understanding": None}
    cleared = await rules_api.admin.send("PATCH", f"/v1/brands/{brand}", json=emptied, match=3)
    assert shown(cleared) == emptied


async def test_a_kept_token_never_follows_to_another_host(
    rules_api: Any, on_topic: Any, unique_name: Callable[[str], str]
) -> None:
    brand = unique_name("acme")
    path = f"/v1/brands/{brand}"
    await rules_api.admin.post("/v1/brands", {"id": brand, "name": "Acme", **SETTINGS})

    async def change(**understanding: Any) -> Any:
        return await rules_api.admin.send("PATCH", path, json={"understanding": understanding}, match="*")

    same = await change(url="https://models.acme.example/v2", timeout_ms=99)
    assert same.json()["understanding"] == {"url": "https://models.acme.example/v2", "timeout_ms": 99, "has_token": True}
    for url in ("https://evil.example/v2", "https://models.acme.example:8443/v2"):
        refused = await change(url=url)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/understanding/token")
    assert (await change(url="https://evil.example/v2", token=None)).json()["understanding"]["has_token"] is False
    assert (await on_topic(f"brand/{brand}/"))[-1].record.brand.understanding.sealed_token == b""
    assert (await change(url="https://new.example/", token="t-2")).json()["understanding"]["has_token"] is True


FAULTS: list[tuple[str, Any, str]] = [
    ("disclosures", {"en": ""}, "/disclosures/en"),
    ("disclosures", {"en": "x" * 201}, "/disclosures/en"),
    ("disclosures", {"en": "two\nlines"}, "/disclosures/en"),
    ("disclosures", {"not a language": "x"}, "/disclosures/not a language/[key]"),
    ("disclosures", {"en": {"$gt": ""}}, "/disclosures/en"),
    ("flag_terms", [{"flag": "anger", "language": "en", "terms": ["x"]}], "/flag_terms/0/flag"),
    ("flag_terms", [{"flag": "spam", "language": "EN", "terms": ["x"]}], "/flag_terms/0/language"),
    ("flag_terms", [{"flag": "spam", "language": "en", "terms": []}], "/flag_terms/0/terms"),
    ("flag_terms", [{"flag": "spam", "language": "en", "terms": ["x" * 80] * 500}] * 2, "/flag_terms"),
    ("understanding", {"url": "http://models.acme.example/"}, "/understanding/url"),
    ("understanding", {"url": "https://user:password@models.acme.example/"}, "/understanding/url"),
    ("understanding", {"url": "https:///x"}, "/understanding/url"),
    ("understanding", {"url": "https://m.example/", "timeout_ms": 5}, "/understanding/timeout_ms"),
    ("understanding", {"url": "https://m.example/", "token": ""}, "/understanding/token"),
    ("understanding", {"url": "https://m.example/", "sealed_token": "x"}, "/understanding/sealed_token"),
]


async def test_faults_are_pointed_at(rules_api: Any, unique_name: Callable[[str], str]) -> None:
    for field, value, pointer in FAULTS:
        refused = await rules_api.admin.post("/v1/brands", {"id": unique_name("acme"), "name": "Acme", field: value})
        assert refused.status_code == 422, (value, refused.text)
        assert refused.json()["errors"][0]["pointer"] == pointer, value

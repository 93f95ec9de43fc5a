"""Bodies that try to be something else: operators, garbage, bombs. The answer is a problem document, never a 500."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import yaml

OPERATOR = {"$gt": ""}


def with_operator(value: Any) -> Iterator[Any]:
    """Yield copies of `value`, in each of which one string is an operator."""
    if isinstance(value, str):
        yield OPERATOR
    elif isinstance(value, list):
        for place, item in enumerate(value):
            for changed in with_operator(item):
                yield [*value[:place], changed, *value[place + 1 :]]
    elif isinstance(value, dict):
        for name, item in value.items():
            for changed in with_operator(item):
                yield {**value, name: changed}


BODIES: list[tuple[str, str, Any]] = [
    ("POST", "/v1/brands", {"id": "x", "name": "X", "mode": "auto", "languages": ["en"]}),
    ("PATCH", "/v1/brands/{brand}", {"name": "X", "mode": "auto", "languages": ["en"]}),
    (
        "PATCH",
        "/v1/brands/{brand}",
        {
            "disclosures": {"en": "x"},
            "flag_terms": [{"flag": "spam", "language": "en", "terms": ["x"]}],
            "understanding": {"url": "https://models.example/", "token": "x"},
        },
    ),
    ("PUT", "/v1/brands/{brand}/segments/s", {"authors": ["facebook:1"]}),
    ("POST", "/v1/brands/{brand}/segments/s:add", {"authors": ["facebook:1"]}),
    ("POST", "/v1/brands/{brand}/rules:test", {"rule_id": "r", "texts": [{"text": "x", "language": "en"}]}),
    ("POST", "/v1/brands/{brand}/hold", {"reason": "x"}),
    ("POST", "/v1/brands/{brand}/resume", {"reason": "x"}),
    ("PUT", "/v1/brands/{brand}/channels/ig", {"platform": "instagram", "account": "1", "name": "x"}),
    ("POST", "/v1/brands/{brand}/rules/r:activate", {"comment": "x"}),
    ("POST", "/v1/brands/{brand}/rules/r:pause", {"comment": "x"}),
    ("POST", "/v1/brands/{brand}/rules/r:archive", {"comment": "x"}),
    ("POST", "/v1/brands/{brand}/rules/r:rollback", {"version": 1, "comment": "x"}),
    ("POST", "/v1/keys", {"name": "x", "brands": ["*"], "role": "viewer"}),
]


async def test_an_operator_in_place_of_any_string_is_refused(
    rules_api: Any, unique_name: Callable[[str], str], rule_document: Any
) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    document = rule_document(schedule={"timezone": "Europe/Berlin", "weekdays": ["mon"], "hours": ["09:00-18:00"]})
    rules = [("POST", "/v1/brands/{brand}/rules", document), ("PUT", "/v1/brands/{brand}/rules/price-question", document)]
    tried = 0
    for method, path, body in [*BODIES, *rules]:
        for hostile in with_operator(body):
            answer = await rules_api.admin.send(method, path.format(brand=brand), json=hostile, match="*")
            assert answer.status_code == 422, (method, path, hostile, answer.text)
            assert answer.json()["errors"][0]["pointer"].startswith("/"), answer.text
            tried += 1
    assert tried > 40


async def test_every_field_that_is_not_the_callers_to_set_is_refused(rules_api: Any, unique_name: Callable[[str], str]) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    for name in ("generation", "brand", "held", "_id", "$set", "outbox", "secret_sha256"):
        for method, path, body in BODIES:
            answer = await rules_api.admin.send(method, path.format(brand=brand), json={**body, name: 1}, match="*")
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/{name}"), (path, answer.text)


def bomb() -> bytes:
    levels = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'x'}]" for n in range(9))
    return levels.encode()


JSON, YAML = "application/json", "application/yaml"
GARBAGE: list[tuple[str, str, bytes]] = [
    ("empty", JSON, b""),
    ("not utf-8", JSON, b'{"id": "\xff\xfe"}'),
    ("utf-16", JSON, '{"id": "x"}'.encode("utf-16")),
    ("a lone surrogate", JSON, b'{"id": "x", "name": "\\ud800"}'),
    ("a lone surrogate as a name", JSON, b'{"id": "x", "\\ud800": 1}'),
    ("nan", JSON, b'{"id": NaN}'),
    ("a huge number", JSON, b'{"id": ' + b"9" * 5000 + b"}"),
    ("deep", JSON, b"[" * 100_000),
    ("a scalar", JSON, b'"x"'),
    ("a list", JSON, b"[]"),
    ("null", JSON, b"null"),
    ("cut off", JSON, b'{"id": "x'),
    ("yaml not utf-8", YAML, b"id: \xff"),
    ("yaml bomb", YAML, bomb()),
    ("yaml object", YAML, b"!!python/object/apply:os.system ['true']"),
    ("yaml binary", YAML, b"id: !!binary aGVsbG8="),
    ("yaml deep", YAML, b"[" * 5_000),
    ("yaml number as a key", YAML, b"1: 2"),
    ("yaml list as a key", YAML, b"? [a]\n: b"),
    ("yaml two documents", YAML, b"id: a\n---\nid: b"),
    ("another type", "text/html", b"<p>"),
]


async def test_garbage_is_refused_politely(rules_api: Any, unique_name: Callable[[str], str]) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    paths = (("POST", f"/v1/brands/{brand}/rules"), ("POST", "/v1/brands"), ("PATCH", f"/v1/brands/{brand}"))
    for (name, kind, body), (method, path) in product(GARBAGE, paths):
        answer = await rules_api.admin.send(method, path, content=body, headers={"Content-Type": kind}, match="*")
        assert answer.status_code in {400, 415, 422}, (name, path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] in {"unreadable", "invalid", "unsupported_media_type"}
        assert "Traceback" not in answer.text


async def test_too_large_a_body_is_not_read(rules_api: Any, unique_name: Callable[[str], str]) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    body = b'{"id": "' + b"x" * 300_000 + b'"}'
    for path in ("/v1/brands", f"/v1/brands/{brand}/rules"):
        answer = await rules_api.admin.send("POST", path, content=body, headers={"Content-Type": JSON})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large"), answer.text


async def test_faults_in_a_rule_are_pointed_at(rules_api: Any, unique_name: Callable[[str], str], rule_document: Any) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    path = f"/v1/brands/{brand}/rules"
    wrong = rule_document(where={"kinds": ["comment", "nonsense"]}, priority=-1)
    refused = await rules_api.admin.post(path, wrong)
    assert refused.status_code == 422
    assert {error["pointer"] for error in refused.json()["errors"]} == {"/where/kinds/1", "/priority"}
    deeper = await rules_api.admin.post(path, rule_document(when={"all": [{"sentiment": {"at_most": "ecstatic"}}]}))
    assert deeper.status_code == 422
    assert deeper.json()["errors"][0]["pointer"].startswith("/when/all/0/sentiment")
    other = await rules_api.admin.put(f"{path}/price-question", rule_document("other-id"), match="*")
    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (422, "/id")


async def test_yaml_means_what_json_means(rules_api: Any, unique_name: Callable[[str], str], rule_document: Any) -> None:
    brand = unique_name("acme")
    await rules_api.brand(brand)
    document = rule_document(schedule={"from": "2026-01-01", "except": ["2026-12-25"], "hours": ["09:00-18:00"]})
    path = f"/v1/brands/{brand}/rules"
    text = yaml.safe_dump(document).replace("'", "")  # dates and clock times as people write them
    made = await rules_api.admin.send("POST", path, content=text, headers={"Content-Type": f"{YAML}; charset=utf-8"})
    assert made.status_code == 201, made.text
    kept = (await rules_api.admin.get(f"{path}/price-question")).json()["document"]
    assert (kept["schedule"], kept["then"]) == (document["schedule"], document["then"])


async def test_ids_have_one_form(rules_api: Any) -> None:
    for brand in ("UPPER", "-x", "a" * 64, "a_b", "$where", "a.b"):
        assert (await rules_api.admin.post("/v1/brands", {"id": brand, "name": "x"})).status_code == 422, brand
        assert (await rules_api.admin.get(f"/v1/brands/{brand}")).status_code == 422, brand

"""The table of the one base URL."""

from pathlib import Path

import pytest

from antiphon_local.routes import Route, find_service, load_routes, longest_first


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/webhooks/facebook/acme", "ingest"),
        ("/v1/sources", "ingest"),
        ("/v1/brands/acme/rules/1", "rules"),
        ("/v1/keys", "rules"),
        ("/v1/deliveries/abc", "publisher"),
        ("/v1/channels", "publisher"),
        ("/v1/brands/acme/secrets", "publisher"),
        ("/v1/brands/acme/secrets/crm", "publisher"),
        ("/v1/brands/secrets", "rules"),
        ("/v1/brands/acme/secretsauce", "rules"),
        ("/v1/reports/summary", "metrics"),
        ("/v1/keyserver", None),
        ("/v1", None),
        ("/", None),
    ],
)
def test_each_path_has_its_service(path: str, service: str | None) -> None:
    assert find_service(longest_first(load_routes()), path) == service


def test_the_longest_prefix_wins_whatever_the_order_of_the_table() -> None:
    routes = longest_first([Route("/v1", "a"), Route("/v1/x/y", "c"), Route("/v1/x", "b")])
    assert [find_service(routes, path) for path in ("/v1/z", "/v1/x/z", "/v1/x/y/z")] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "text",
    [
        "- {prefix: v1, service: a}",
        "- {prefix: /v1/, service: a}",
        "- {prefix: /v1}",
        "- {prefix: /v1, service: a}\n- {prefix: /v1, service: b}",
    ],
)
def test_a_table_that_could_be_misread_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"routes\.yaml"):
        load_routes(path)

"""Which store of media the settings choose, and what they say when they choose none or two."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from publisher.adapters.media import DirectoryMedia
from publisher.adapters.s3_media import S3Media
from publisher.entries_app import media_store
from publisher.settings import MediaSettings

OPERATORS = Path(__file__).parents[3] / "docs" / "operators.md"
BUCKET = {"S3_BUCKET": "acme-media"}
KEYS = {"S3_ACCESS_KEY": "the-key", "S3_SECRET_KEY": "the-secret"}


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> Any:
    def choose(given: dict[str, str]) -> MediaSettings:
        for name, value in given.items():
            monkeypatch.setenv(f"PUBLISHER_MEDIA_{name}", value)
        return MediaSettings()

    return choose


@pytest.mark.parametrize("given", [{}, {"DIRECTORY": "/data/media"}, {"S3_BUCKET": "", "S3_SECRET_KEY": ""}])
def test_a_directory_unless_a_bucket_is_named(chosen: Any, given: dict[str, str]) -> None:
    settings = chosen(given)
    assert isinstance(media_store(settings), DirectoryMedia)
    assert settings.publisher_media_directory == Path(given.get("DIRECTORY", "var/media"))


@pytest.mark.parametrize(
    "more",
    [
        {},
        KEYS,
        {"S3_REGION": "eu-central-1", "S3_PREFIX": "antiphon/media"},
        {**KEYS, "S3_ENDPOINT": "http://minio.storage.svc:9000/"},
        {**KEYS, "S3_ENDPOINT": "https://s3.example.com/tenant"},
    ],
)
def test_a_bucket_that_is_named(chosen: Any, more: dict[str, str]) -> None:
    settings = chosen(BUCKET | more)
    assert isinstance(media_store(settings), S3Media)
    assert not settings.publisher_media_s3_endpoint.endswith("/")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({**BUCKET, "DIRECTORY": "/data"}, "PUBLISHER_MEDIA_DIRECTORY and PUBLISHER_MEDIA_S3_BUCKET name two stores"),
        ({"S3_PREFIX": "media"}, "PUBLISHER_MEDIA_S3_PREFIX: without PUBLISHER_MEDIA_S3_BUCKET"),
        (KEYS, "PUBLISHER_MEDIA_S3_ACCESS_KEY, PUBLISHER_MEDIA_S3_SECRET_KEY: without"),
        (
            {**BUCKET, "S3_SECRET_KEY": "the-secret"},
            "PUBLISHER_MEDIA_S3_ACCESS_KEY and PUBLISHER_MEDIA_S3_SECRET_KEY go together",
        ),
        ({**BUCKET, "S3_ACCESS_KEY": "the-key"}, "go together"),
        ({"S3_BUCKET": "s3://acme-media"}, "a bucket's name alone"),
        ({"S3_BUCKET": "Acme"}, "lower-case letters"),
        ({**BUCKET, "S3_ENDPOINT": "minio:9000"}, "an address such as https://"),
        ({**BUCKET, "S3_ENDPOINT": "https://the-key:the-secret@minio:9000"}, "an address such as https://"),
        ({**BUCKET, "S3_PREFIX": "/media/"}, "single slashes"),
        ({**BUCKET, "S3_PREFIX": "a/../b"}, "single slashes"),
        ({**BUCKET, "S3_REGION": "eu central"}, "publisher_media_s3_region"),
    ],
)
def test_what_cannot_be_meant_is_named_without_its_secrets(chosen: Any, given: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        chosen(given)
    assert said in str(error.value)
    assert "the-key" not in str(error.value)
    assert "the-secret" not in str(error.value)


def test_the_log_of_a_start_shows_no_secrets(chosen: Any) -> None:
    shown = str(chosen(BUCKET | KEYS).model_dump(mode="json"))
    assert "acme-media" in shown
    assert "the-key" not in shown
    assert "the-secret" not in shown


def test_the_operators_page_names_the_settings_and_its_example_is_one(chosen: Any) -> None:
    page = OPERATORS.read_text(encoding="utf-8")
    known = {name.upper() for name in MediaSettings.model_fields if name.startswith("publisher_media_s3_")}
    assert set(re.findall(r"PUBLISHER_MEDIA_S3_[A-Z_]+[A-Z]", page)) == known
    section = page.partition("## Media in a bucket")[2]
    example = yaml.safe_load(section.partition("```yaml")[2].partition("```")[0])["env"]
    secret = {one["name"] for one in example if "secretKeyRef" in one.get("valueFrom", {})}
    assert secret == {"PUBLISHER_MEDIA_S3_ACCESS_KEY", "PUBLISHER_MEDIA_S3_SECRET_KEY"}
    given = {one["name"].removeprefix("PUBLISHER_MEDIA_"): one.get("value", "from the secret") for one in example}
    assert isinstance(media_store(chosen(given)), S3Media)

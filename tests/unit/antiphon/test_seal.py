"""Sealed secrets open for their owner only, and keys rotate."""

import base64
import os

import pytest
from pydantic import SecretStr, ValidationError

from antiphon.seal import Sealer, SealError, SealSettings, parse_keys

SECRET = SecretStr("EAAG-canary-token")


def key() -> bytes:
    return os.urandom(32)


@pytest.fixture
def sealer() -> Sealer:
    return Sealer({"k1": key()})


def test_the_owner_opens_it_and_the_sealed_form_shows_nothing(sealer: Sealer) -> None:
    sealed = sealer.seal(SECRET, "acme/facebook")
    assert sealer.open(sealed, "acme/facebook").get_secret_value() == SECRET.get_secret_value()
    assert "canary" not in sealed
    assert "canary" not in repr(sealer.open(sealed, "acme/facebook"))


def test_the_same_secret_is_sealed_differently_each_time(sealer: Sealer) -> None:
    assert len({sealer.seal(SECRET, "acme/facebook") for _ in range(20)}) == 20


def test_swapping_owners_fails(sealer: Sealer) -> None:
    mine, theirs = sealer.seal(SECRET, "acme/facebook"), sealer.seal(SECRET, "other/facebook")
    for sealed, owner in ((mine, "other/facebook"), (theirs, "acme/facebook"), (mine, "acme/instagram"), (mine, "")):
        with pytest.raises(SealError, match="another owner"):
            sealer.open(sealed, owner)


def test_every_changed_byte_is_noticed(sealer: Sealer) -> None:
    key_id, _, encoded = sealer.seal(SECRET, "acme/facebook").partition(".")
    box = bytearray(base64.urlsafe_b64decode(encoded))
    for position in range(len(box)):
        box[position] ^= 1
        with pytest.raises(SealError):
            sealer.open(f"{key_id}.{base64.urlsafe_b64encode(box).decode()}", "acme/facebook")
        box[position] ^= 1


@pytest.mark.parametrize("damaged", ["", "k1", "k1.", "k1.!!!", "k1.AAAA", "k1.ü", "nokey.AAAA"])
def test_damage_is_an_error_with_a_remedy(sealer: Sealer, damaged: str) -> None:
    with pytest.raises(SealError, match=r"store the secret again|SEAL_KEYS"):
        sealer.open(damaged, "acme/facebook")


def test_keys_rotate_by_a_new_first_one() -> None:
    old, new = key(), key()
    sealed = Sealer({"k1": old}).seal(SECRET, "acme/facebook")
    both = Sealer({"k2": new, "k1": old})
    assert both.needs_rotation(sealed)
    assert both.open(sealed, "acme/facebook") == SECRET
    again = both.seal(SECRET, "acme/facebook")
    assert not both.needs_rotation(again)
    only_new = Sealer({"k2": new})
    assert only_new.open(again, "acme/facebook") == SECRET
    with pytest.raises(SealError, match="k1"):
        only_new.open(sealed, "acme/facebook")


def test_the_first_key_in_the_settings_seals() -> None:
    encoded = [f"k{number}:{base64.b64encode(key()).decode()}" for number in (2, 1)]
    assert list(parse_keys(SecretStr(", ".join(encoded)))) == ["k2", "k1"]


@pytest.mark.parametrize(
    "text", ["", "k1", "k1:", "k1:Y2FuYXJ5", ":" + base64.b64encode(bytes(32)).decode(), "k1:canary!", "k1:kanarienvögel"]
)
def test_bad_keys_are_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SealSettings(seal_keys=SecretStr(text))
    assert "seal_keys" in str(caught.value)
    assert text.partition(":")[2] == "" or text.partition(":")[2] not in str(caught.value)


def test_a_bad_key_in_the_environment_is_not_quoted_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAL_KEYS", "k1:canary-secret")
    with pytest.raises(ValidationError) as caught:
        SealSettings()  # type: ignore[call-arg]
    assert "canary" not in str(caught.value)

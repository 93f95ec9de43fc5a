"""Codes of tracked links: whoever lacks the key can neither make one nor change one."""

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from antiphon.links import MAX_CODE_LENGTH, LinkCode, LinkSettings, make_code, parse_link_keys, read_code

KEY, OLDER, FOREIGN = b"k" * 32, b"o" * 32, b"f" * 32
ACTION = "9cc8b2413676ae0216c337dcba6f3c1e219a346b785458347a0224275b003e85"

slugs = st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True)
actions = st.binary(min_size=32, max_size=32).map(bytes.hex) | st.just("")


@given(slugs, slugs, actions)
def test_a_code_says_what_went_in_and_fits_into_an_address(brand: str, link: str, action: str) -> None:
    code = make_code(KEY, brand=brand, link=link, action_id=action)
    assert read_code(KEY, code) == LinkCode(brand, link, action)
    assert set(code) <= set(string.ascii_letters + string.digits + "-_")
    assert len(code) <= MAX_CODE_LENGTH
    assert code == make_code(KEY, brand=brand, link=link, action_id=action)


def test_a_usual_code_is_short() -> None:
    assert len(make_code(KEY, brand="acme", link="shipping-page")) == 37
    assert len(make_code(KEY, brand="acme", link="shipping-page", action_id=ACTION)) == 80


@given(st.data())
def test_any_other_character_anywhere_makes_it_nobodys(data: st.DataObject) -> None:
    code = make_code(KEY, brand="acme", link="shipping-page", action_id=ACTION)
    place = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from(sorted(set(string.printable) - {code[place]})))
    assert read_code(KEY, code[:place] + other + code[place + 1 :]) is None


@given(st.integers(0, 79))
def test_a_code_cut_short_or_made_longer_is_nobodys(length: int) -> None:
    code = make_code(KEY, brand="acme", link="shipping-page", action_id=ACTION)
    assert read_code(KEY, code[:length]) is None
    assert read_code(KEY, code + "A" * (length + 1)) is None
    assert read_code(KEY, code + "=") is None


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert read_code(KEY, text) is None
    assert read_code(KEY, "1" + text) is None


def test_a_foreign_key_makes_nothing_of_ours() -> None:
    assert read_code(KEY, make_code(FOREIGN, brand="acme", link="a")) is None
    assert read_code((), make_code(KEY, brand="acme", link="a")) is None


def test_after_a_rotation_links_in_the_wild_still_lead_somewhere() -> None:
    old, new = (make_code(key, brand="acme", link="a") for key in (OLDER, KEY))
    assert read_code([KEY, OLDER], old) == read_code(iter((KEY, OLDER)), new) == LinkCode("acme", "a")
    assert read_code([KEY], old) is None


def test_ids_cannot_run_into_each_other() -> None:
    assert make_code(KEY, brand="ab", link="c") != make_code(KEY, brand="a", link="bc")


@pytest.mark.parametrize("action", [ACTION[:32], ACTION.upper(), "no hex", ACTION + "00", ACTION.replace("9c", "9c ")])
def test_an_action_id_of_another_form_is_refused(action: str) -> None:
    with pytest.raises(ValueError):
        make_code(KEY, brand="acme", link="a", action_id=action)


def test_keys_come_from_the_settings_and_never_into_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (base64.b64encode(key).decode() for key in (KEY, OLDER))
    monkeypatch.setenv("LINK_KEY", f"{first} {second}")
    monkeypatch.setenv("LINK_BASE_URL", "https://go.acme.example")
    assert parse_link_keys(LinkSettings().link_key) == (KEY, OLDER)
    assert first not in repr(LinkSettings())

    monkeypatch.setenv("LINK_KEY", first[:-8])
    with pytest.raises(ValidationError, match="openssl rand") as refused:
        LinkSettings()
    assert first[:-8] not in str(refused.value)


@pytest.mark.parametrize("url", ["go.acme.example", "https://go.acme.example/", "ftp://go.acme.example", "https://a b"])
def test_a_base_is_scheme_and_host_alone(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LINK_BASE_URL", url)
    with pytest.raises(ValidationError):
        LinkSettings()


def test_without_keys_there_are_none() -> None:
    assert parse_link_keys(SecretStr("")) == ()
    assert parse_link_keys(LinkSettings().link_key) == ()

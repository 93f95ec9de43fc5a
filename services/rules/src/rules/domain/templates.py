"""Reply texts with placeholders: `{{author.first_name}}`, with a default `{{author.first_name|there}}`.

A template is data and so is every value: there are no expressions, each text is gone through once, and a value that
looks like a placeholder, a mention or a link is only letters in the result.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

NAMES = {
    "author.first_name": 40,
    "author.handle": 64,
    "object.title": 120,
    "campaign.name": 80,
    "coupon": 40,
}
"""Allowed placeholders and the most characters a value may take; longer ones are cut, so that lengths are known at save."""

LINK_PREFIX = "link."
LINK_CHARACTERS = 300
"""Bound of `link.<id>`: the longest code of a tracked link has 225 characters, and an address stands before it."""

FILLED = frozenset({"author.first_name", "author.handle"})
"""Placeholders that an event alone can fill; all others but links need a default, unless the rule names a campaign."""

OF_CAMPAIGN = frozenset({"campaign.name"})
"""Placeholders that a rule with an action for a campaign fills."""

PUBLIC_CHARACTERS = {"facebook": 8000, "instagram": 2200}
PRIVATE_CHARACTERS = {"facebook": 2000}
PRIVATE_BYTES = {"instagram": 1000}
"""What platforms accept; a platform that is not here is not checked."""

_CHARACTER_BYTES = 4
"""The most bytes a character takes in UTF-8."""

_PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")
_LINK_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_HANDLE = re.compile(r"[\w.-]+")
_SIGNS = re.compile("[@#\uff20\uff03\ufe6b\ufe5f]+")
_LINKING = re.compile(r"://|(?<=\w)[.\u3002\uff0e\uff61](?=\w)")
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
_JOINERS = frozenset("\u200c\u200d")
"""Format characters that scripts and emoji need; they cannot turn or hide text."""


class TemplateError(ValueError):
    """A template that can never be rendered; the message names what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A place for a value; `default` None: nothing stands there when the value is missing."""

    name: str
    default: str | None = None
    after_at: bool = False

    @property
    def most_characters(self) -> int:
        """Return the most characters that can stand here."""
        return max(NAMES.get(self.name, LINK_CHARACTERS), len(self.default or ""))


Part = str | Placeholder


@lru_cache(maxsize=4096)
def parse(template: str) -> tuple[Part, ...]:
    """Return literals and placeholders in order. Raises TemplateError naming the first thing that is wrong."""
    parts: list[Part] = []
    position = 0
    for match in _PLACEHOLDER.finditer(template):
        literal = template[position : match.start()]
        _check_literal(literal)
        if literal:
            parts.append(literal)
        parts.append(_placeholder(match[1], after_at=literal.endswith("@")))
        position = match.end()
    _check_literal(template[position:])
    if template[position:]:
        parts.append(template[position:])
    return tuple(parts)


def _check_literal(literal: str) -> None:
    for braces in ("{{", "}}"):
        if braces in literal:
            raise TemplateError(f"{braces!r} without its other half")


def _placeholder(content: str, *, after_at: bool) -> Placeholder:
    name, bar, default = content.partition("|")
    name = name.strip()
    if name not in NAMES and not (name.startswith(LINK_PREFIX) and _LINK_ID.fullmatch(name.removeprefix(LINK_PREFIX))):
        allowed = ", ".join([*NAMES, LINK_PREFIX + "<id>"])
        raise TemplateError(f"unknown placeholder {name!r}; allowed are {allowed}")
    return Placeholder(name, default.strip() if bar else None, after_at)


@lru_cache(maxsize=4096)
def placeholders(template: str) -> frozenset[str]:
    """Return the names of a template's placeholders."""
    return frozenset(part.name for part in parse(template) if isinstance(part, Placeholder))


def unfilled(template: str, filled: frozenset[str] = FILLED) -> tuple[str, ...]:
    """Return the placeholders that are not among `filled`, name no link, and have no default."""
    found = [part for part in parse(template) if isinstance(part, Placeholder)]
    return tuple(
        part.name for part in found if part.name not in filled and not part.name.startswith(LINK_PREFIX) and part.default is None
    )


def render(template: str, values: Mapping[str, str]) -> str:
    """Return the text to post. Where nothing fills a placeholder, the space before it goes too ("Hi {{x}}, …" → "Hi, …")."""
    text = ""
    for part in parse(template):
        if isinstance(part, str):
            text += part if text else part.lstrip(" ,")
            continue
        value = _value(part, values) or part.default or ""
        text = text + value if value else text.removesuffix(" ")
    return text.strip()


def _value(part: Placeholder, values: Mapping[str, str]) -> str:
    raw = values.get(part.name, "")
    if not raw:
        return ""
    bound = NAMES.get(part.name, LINK_CHARACTERS)
    if len(raw) <= bound and raw.isalpha():
        return raw  # most names; nothing can hide in letters
    value = visible(raw[: 4 * bound])[:bound].strip()
    if part.name == "author.handle" and part.after_at:
        return value.lstrip("@") if _HANDLE.fullmatch(value.lstrip("@")) else ""
    return value if part.name.startswith(LINK_PREFIX) else harmless(value)


def visible(value: str) -> str:
    """Return the value on one line, without control characters and without what turns or hides text."""
    if value.isascii() and value.isprintable():
        return " ".join(value.split())
    kept = (" " if character.isspace() else character for character in value)
    text = "".join(
        character for character in kept if character in _JOINERS or unicodedata.category(character) not in _INVISIBLE_CATEGORIES
    )
    return " ".join(text.split())


def harmless(value: str) -> str:
    """Return the value such that no platform makes a mention, a hashtag or a link of it."""
    return _LINKING.sub(" ", _SIGNS.sub("", value)).strip()


def first_name(name: str) -> str:
    """Return the first word of a name that holds a letter, "" when there is none."""
    return next((word for word in name.split() if any(map(str.isalpha, word))), "")


def worst_case(template: str) -> tuple[int, int]:
    """Return the most (characters, UTF-8 bytes) that a rendered text can have."""
    characters = encoded = 0
    for part in parse(template):
        if isinstance(part, str):
            characters += len(part)
            encoded += len(part.encode())
        else:
            characters += part.most_characters
            encoded += max(NAMES.get(part.name, LINK_CHARACTERS) * _CHARACTER_BYTES, len((part.default or "").encode()))
    return characters, encoded


def excess(characters: int, encoded: int, platforms: Sequence[str], *, private: bool) -> str:
    """Return which platform's limit the size exceeds, in words; "" when it fits everywhere."""
    limits = PRIVATE_CHARACTERS if private else PUBLIC_CHARACTERS
    for platform in platforms:
        if characters > limits.get(platform, characters):
            return f"{characters} characters, {platform} allows {limits[platform]}"
        if private and encoded > PRIVATE_BYTES.get(platform, encoded):
            return f"{encoded} bytes, {platform} allows {PRIVATE_BYTES[platform]}"
    return ""

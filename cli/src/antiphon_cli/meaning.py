"""What a document means, whatever its form: `platforms: facebook` is `platforms: [facebook]`."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

_DIGITS = 16
"""Of a digest in the lock file: two versions of one rule never meet in 64 bits, and lines stay short."""


def meaning(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document in one form: what says nothing left out, short forms written out, `draft` where no state is told."""
    found = {name: _plain(value) for name, value in document.items() if value is not None}
    if "then" in found:
        found["then"] = [_action(item) for item in _listed(document["then"])]
        found.setdefault("state", "draft")
    return found


def digest(document: Mapping[str, Any] | None) -> str:
    """Return a short fingerprint of a document's meaning; empty where there is none."""
    if document is None:
        return ""
    raw = orjson.dumps(_words(meaning(document)), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(raw).hexdigest()[:_DIGITS]


def _action(item: Any) -> Any:
    if isinstance(item, str):
        return {item: {}}
    if isinstance(item, Mapping) and len(item) == 1:
        name, content = next(iter(item.items()))
        return {name: _answer(content) if name in {"reply", "private_reply"} else _plain({} if content is None else content)}
    return _plain(item)


def _answer(content: Any) -> Any:
    if not isinstance(content, Mapping) or "text" not in content:
        return _plain(content)
    text = content["text"]
    texts = text if isinstance(text, Mapping) else {"default": text}
    by_language = {str(name).lower().replace("_", "-"): _listed(variants) for name, variants in texts.items()}
    return {**_plain(content), "text": by_language}


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(content) for name, content in value.items() if content is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _words(value: Any) -> Any:
    """Return a value for comparing only: a list of one is its item, and a number is the word people see."""
    if isinstance(value, Mapping):
        return {name: _words(content) for name, content in value.items()}
    if isinstance(value, list):
        return _words(value[0]) if len(value) == 1 and not isinstance(value[0], Mapping) else [_words(item) for item in value]
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else value

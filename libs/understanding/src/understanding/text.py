"""What a text is made of: tokens, and the form of a word by which it is looked up. Pure functions of the text."""

import re
import unicodedata

MAX_CHARACTERS = 2_000
"""How much of a text is read. Comments are shorter; more would only let one long text take the time of many."""

MAX_WORD = 40
"""How much of one word is read, for the same reason: the n-grams of a word without spaces would grow without bound."""

_MARKS = "\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0971-\u0dff\u0e31-\u0e4e"
_WORD = rf"[\w{_MARKS}]+(?:['’][\w{_MARKS}]+)*"
_EMOTICON = r"[<>]?[:;=8][-'^o]?(?:[()\[\]/\\|*@]+|[DPpOoSsdcC3](?!\w))|[xX]D+(?!\w)|<3+|\^_*\^|[-T;Q]_+[-T;Q]"
TOKEN = re.compile(
    rf"(?:https?:|www\.)\S+|{_EMOTICON}|[@#]{_WORD}|{_WORD}|[^\w\s{_MARKS}\u200d\ufe0f\U0001F3FB-\U0001F3FF]+",
)
"""Addresses, emoticons, handles and hashtags, words, and runs of anything else that is not a space (punctuation, emoji)."""

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([nrt\"]))")
_REPEATED = re.compile(r"(.)\1{2,}")
_ACCENTS = re.compile(r"[\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670]")
_ARABIC = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي", "ـ": ""})
_ENTITIES = (("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"))


def clean(text: str) -> str:
    """Return at most `MAX_CHARACTERS` of the text, escapes that exports leave behind undone, lone surrogates dropped."""
    text = text[:MAX_CHARACTERS]
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "ignore").decode("utf-8")
    if "\\" in text:
        text = _ESCAPE.sub(_unescaped, text)
    if "&" in text:
        for entity, character in _ENTITIES:
            text = text.replace(entity, character)
    return text


def _unescaped(match: re.Match[str]) -> str:
    digits = match[1]
    if digits is None:
        return '"' if match[2] == '"' else " "
    character = chr(int(digits, 16))
    return " " if "\ud800" <= character <= "\udfff" else character


def chunks(text: str) -> list[str]:
    """Return the chunks of a text: what stands between spaces, cleaned."""
    return clean(text).split()


def tokens(chunk: str) -> list[str]:
    """Return the tokens of a chunk, see `TOKEN`; letters alone are one."""
    return [chunk] if chunk.isalpha() else TOKEN.findall(chunk)


def squeeze(word: str) -> str:
    """Return the word with three and more equal characters in a row reduced to two."""
    return _REPEATED.sub(r"\1\1", word)


def fold(word: str) -> str:
    """Return the form by which words are looked up: compatibility-normalised, case-folded, accents and vowel marks off."""
    folded = unicodedata.normalize("NFKC", word).casefold().replace("’", "'")
    if folded.isascii():
        return folded
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", folded))
    return unicodedata.normalize("NFC", bare).translate(_ARABIC)

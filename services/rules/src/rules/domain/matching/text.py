"""The one form of text that terms are compared in.

Folding: NFKC, case folding, one space between words, one kind of apostrophe, no invisible characters, no skin tones,
no optional marks (Arabic vowels, the Turkish dot, the Russian diaeresis), so that what people type in different ways
compares equal. Before words are looked for, links and handles are masked out and hyphens inside words become spaces.
"""

import re
import unicodedata

MASK = "\ufffc"
"""Stands where a link or a handle stood: no letter, and in no term."""

MATCHED_CHARACTERS = 10_000
"""Of a longer text only the beginning is searched, so that no text can hold up its partition; comments are shorter."""

_APOSTROPHES = "\u2018\u2019\u201b\u02bc\u02b9\u2032`"
_HYPHENS = "\u2010\u2011\u2012\u2013\u2014\u2212\u2043"
_ARABIC_OPTIONAL = [*range(0x064B, 0x0660), 0x0670, 0x0640]
_INVISIBLE = [0xAD, 0x34F, 0x180E, *range(0x200B, 0x200D), 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
_EMOJI_STYLE = [0xFE0E, 0xFE0F, *range(0x1F3FB, 0x1F400)]
_FOLDED: dict[int, str | None] = {
    **dict.fromkeys(map(ord, _APOSTROPHES), "'"),
    **dict.fromkeys(map(ord, _HYPHENS), "-"),
    **dict.fromkeys([*_ARABIC_OPTIONAL, *_INVISIBLE, *_EMOJI_STYLE, 0x0307]),
    ord("ı"): "i",
    ord("ё"): "е",
}
_TO_FOLD = re.compile("[" + "".join(map(chr, _FOLDED)) + "]")

# Every pattern starts with letters of its own, so that the search skips texts without them; none can go back far.
_LINK = re.compile(r"https?://\S+")
_OTHER_LINK = re.compile(r"://\S+")
_WWW = re.compile(r"www\.\S+")
_DOT_INSIDE = re.compile(r"\.[a-z]")
_DOMAIN_END = re.compile(
    # only what cannot be two words with a forgotten space ("great.me too"), or has a path
    r"\.(?:(?:com|net|org|biz|xyz|eu|ch|fr|ru|ua|uk|pl|nl|jp|cn|br|tv)(?![\w-]|\.\w)(?:[/?#]\S*)?|[a-z]{2,24}/\S*)"
)
_HANDLE = re.compile(r"@[\w.-]+")
_ADDRESS_SIGNS = "_.+-@"
_HYPHEN_INSIDE = re.compile(r"(?<=\w)-+(?=\w)")
_APOSTROPHE_INSIDE = re.compile(r"(?<=\w)'(?=\w)")
_LONG_RUN = re.compile(r"([^\W\d_])\1\1")
_RUN = re.compile(r"([^\W\d_])\1+")
_REGIONAL_FIRST, _REGIONAL_LAST = "\U0001f1e6", "\U0001f1ff"
_FIRST_MARK = "\u0300"
"""No combining mark stands before it in Unicode, so most neighbours need no look-up."""


def fold(text: str) -> str:
    """Return the text as it is compared: case, width, marks and spacing do not matter any more."""
    if text.isascii():
        folded = text.lower()
        if "`" in folded:
            folded = folded.replace("`", "'")
    else:
        folded = _fold_unicode(text)
    if "  " in folded or not folded.isprintable():
        folded = " ".join(folded.split())
    return folded


def _fold_unicode(text: str) -> str:
    folded = text if unicodedata.is_normalized("NFKC", text) else unicodedata.normalize("NFKC", text.replace("\u00b4", "'"))
    folded = folded.casefold()
    if not unicodedata.is_normalized("NFKC", folded):
        folded = unicodedata.normalize("NFKC", folded)
    if _TO_FOLD.search(folded):
        folded = folded.translate(_FOLDED)
    return folded


def words_form(folded: str) -> str:
    """Return folded text as terms are looked for: links and handles masked, hyphens inside words as spaces."""
    if "." in folded or "://" in folded:
        folded = _mask_links(folded)
    if "@" in folded:
        folded = _mask_heads(_HANDLE.sub(MASK, folded))
    return _without_hyphens(folded)


def _mask_links(folded: str) -> str:
    if "://" in folded:
        folded = _mask_heads(_OTHER_LINK.sub(MASK, _LINK.sub(MASK, folded)))
    if "www." in folded:
        folded = _WWW.sub(MASK, folded)
    if _DOT_INSIDE.search(folded):
        folded = _mask_heads(_DOMAIN_END.sub(MASK, folded))
    return folded


def has_link(folded: str) -> bool:
    """Return whether folded text holds a link: with a scheme, with "www.", or a bare domain; an e-mail address is none."""
    if "://" in folded or "www." in folded:
        return True
    return _DOT_INSIDE.search(folded) is not None and any(
        "@" not in word and _DOMAIN_END.search(word) for word in folded.split(" ")
    )


def _mask_heads(folded: str) -> str:
    """Mask also what a mask is glued to: the name before an address's sign, the rest of a domain."""
    masks = folded.count(MASK)
    if masks == folded.count(" " + MASK) + folded.startswith(MASK):
        return folded
    *heads, last = folded.split(MASK)
    return MASK.join([*map(_without_address, heads), last])


def _without_address(head: str) -> str:
    end = len(head)
    if head.endswith("."):
        return head
    while end and (head[end - 1].isalnum() or head[end - 1] in _ADDRESS_SIGNS):
        end -= 1
    return head[:end]


def _without_hyphens(folded: str) -> str:
    return _HYPHEN_INSIDE.sub(" ", folded) if "-" in folded else folded


def exact_form(folded: str) -> str:
    """Return folded text as a whole comment is compared: without the punctuation around it, links and handles kept."""
    plain = _without_hyphens(folded)
    start, end = 0, len(plain)
    while start < end and _is_edge(plain[start]):
        start += 1
    while end > start and _is_edge(plain[end - 1]):
        end -= 1
    return plain[start:end] if start < end else plain.strip()


def _is_edge(character: str) -> bool:
    return character.isspace() or unicodedata.category(character)[0] == "P"


def squeezed(form: str) -> str | None:
    """Return the text with repeated letters written once, or None when no letter stands three times in a row."""
    return _RUN.sub(r"\1", form) if _LONG_RUN.search(form) else None


def squeezed_term(pattern: str) -> str:
    """Return a term's pattern with repeated letters written once."""
    return _RUN.sub(r"\1", pattern)


def patterns(term: str) -> tuple[str, ...]:
    """Return the forms of a term that are looked for: "e-mail" is also "e mail" and "email", "don't" also "dont".

    Empty when nothing of the term can ever be found.
    """
    folded = fold(term).strip()
    spelled = {_without_hyphens(folded), _HYPHEN_INSIDE.sub("", folded)}
    spelled |= {_APOSTROPHE_INSIDE.sub("", form) for form in spelled}
    return tuple(sorted(form for form in spelled if form))


def exact_patterns(term: str) -> tuple[str, ...]:
    """Return the forms of a term that a whole text is compared with."""
    return tuple(sorted({exact_form(pattern) for pattern in patterns(term)}))


def is_maskable(term: str) -> bool:
    """Return whether a part of the term is a link or a handle, which no text still has when terms are looked for."""
    return MASK in words_form(fold(term))


def is_word(character: str) -> bool:
    """Return whether the character is part of a word: letters, digits, underscore and combining marks."""
    if character.isalnum() or character == "_":
        return True
    return character >= _FIRST_MARK and unicodedata.category(character)[0] == "M"


def stands_alone(text: str, start: int, end: int) -> bool:
    """Return whether text[start:end] is no part of a longer word, nor half of a flag."""
    if end < len(text) and is_word(text[end]) and (is_word(text[end - 1]) or not (text[end].isalnum() or text[end] == "_")):
        return False  # a combining mark always belongs to what it stands on
    return starts_alone(text, start)


def starts_alone(text: str, start: int) -> bool:
    """Return whether what begins at `start` is no rest of a longer word, nor the second half of a flag."""
    if start > 0 and is_word(text[start - 1]) and is_word(text[start]):
        return False
    return not _REGIONAL_FIRST <= text[start] <= _REGIONAL_LAST or _pairs_before(text, start) % 2 == 0


def _pairs_before(text: str, start: int) -> int:
    count = 0
    while start > count and _REGIONAL_FIRST <= text[start - count - 1] <= _REGIONAL_LAST:
        count += 1
    return count

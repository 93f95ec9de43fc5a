"""Which language a text is in: its script, pycld2, and the votes of common words, which also know short and romanised texts."""

import re
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from math import exp, log
from typing import TypeAlias

import pycld2

from understanding.memory import Memory
from understanding.polarity import polarity
from understanding.text import MAX_WORD, fold, squeeze, tokens

LATIN = ("de", "en", "es", "fr", "hi", "it", "pt")
"""The languages in Latin letters whose words vote; Hindi as it is typed on phones."""

_AGREES = 2.5
"""What pycld2's opinion is worth beside the words' votes, in nats; its own reliability flag is nearly always set."""
_OUTSIDE = 2.0
_OUTSIDE_PER_WORD = 0.9
"""How far the words must be ahead, in nats and nats a word, to be believed against pycld2 naming a language without votes."""
_CLEAR = 4.0
"""A lead, in nats, from which pycld2 is not asked: it could hardly change the answer and costs as much as all the rest."""
_HEARD = 24
"""How many chunks are listened to; after so many the rest cannot change much."""
_LOOKED_AT = 120
"""How many characters of a text are looked at to tell its script."""
_LEXICON_COUNT = 2
"""As how many texts a word of a polarity lexicon counts."""
_SMOOTHING = 0.3
_MOST_PER_WORD = 3.0
"""What one word may say at most: names and topics of the data are no proof of a language."""
_PARTS = 16
_LANES = struct.Struct(f"<{len(LATIN) + 2}I")
"""What a word says is one whole number of 32-bit lanes, so that one addition counts a word: a lane a language, in sixteenths of a
nat; one for words that have votes; one for words in other letters."""
_FOREIGN_WORD = int.from_bytes(_LANES.pack(*[0] * len(LATIN), 0, 1), "little")
_COOLED = 0.6
"""By how much votes are cooled before they become a confidence; words of one text are not independent."""
SURE = 0.8
"""From this confidence on a language outside the brand's is believed."""

_NAMES = {"iw": "he", "in": "id", "no": "nb", "jw": "jv", "mo": "ro", "zh-Hant": "zh", "tl": "fil", "un": "", "xxx": ""}
_OUTSIDE_LATIN = frozenset((
    "af", "az", "bs", "ca", "cs", "cy", "da", "et", "eu", "fi", "fil", "ga", "gl", "hr", "hu", "id", "is",
    "lt", "lv", "ms", "mt", "nb", "nl", "pl", "ro", "sk", "sl", "sq", "sv", "sw", "tr", "uz", "vi",
))  # fmt: skip
"""Languages in Latin letters without votes that pycld2 is believed to hear; the rarer ones it names for short texts of others."""
_NOT_LETTERS = re.compile(r"[\W\d_]+")
_OTHER = "other"
_LAST_LATIN = "\u024f"
_SPOKEN = {
    "ru": ("ru", "uk", "be", "bg", "sr", "mk", "kk", "ky", "tt", "mn", "tg", "uz", "ba"),
    "ar": ("ar", "fa", "ur", "ps", "sd", "ug", "ku"),
    "hi": ("hi", "mr", "ne", "sa", "bh"),
    "zh": ("zh", "ja"),
    "he": ("he", "yi"),
}
"""The languages of a script that has more than one, by its most common language, which also names the script."""
_RANGES = (
    ("el", 0x370, 0x3FF), ("ru", 0x400, 0x52F), ("he", 0x590, 0x5FF), ("ar", 0x600, 0x77F), ("hi", 0x900, 0x97F),
    ("th", 0xE00, 0xE7F), ("ko", 0x1100, 0x11FF), ("ja", 0x3040, 0x30FF), ("zh", 0x4E00, 0x9FFF), ("ko", 0xAC00, 0xD7AF),
    ("ar", 0xFB50, 0xFDFF), ("ar", 0xFE70, 0xFEFE), ("", 0, 0x24F), ("", 0x1E00, 0x1EFF), (_OTHER, 0x530, 0x1FFF),
)  # fmt: skip
_SHORT = 24
"""Letters below which a language of the script other than its most common one needs its own letters as proof."""
_PROOFS = {
    "uk": "іїєґ", "be": "ўі", "sr": "ђјљњћџ", "mk": "ѓќѕјљњџ", "fa": "پچژگ", "ur": "ٹڈڑںےھ",
    "kk": "әғқңөұүһі", "ky": "ңөү", "tt": "әөүҗңһ", "mn": "өү",
}  # fmt: skip
_DISPROOFS = {"uk": "ыэёъ", "fa": "ةىأإ", "be": "ищъ"}
"""Letters that a language does not have; a short text without them is believed to be in it."""
_OWN = {"ru": re.compile("[ыэёЫЭЁ]"), "ar": re.compile("[ةىأإ]")}
"""Letters that tell the most common language of a script from its others, and those that tell against it."""
_FOREIGN = {"ru": re.compile("[іїєґўђјљњћџәғқңөұүһ]"), "ar": re.compile("[پچژگٹڈڑںےھۆێەیک]")}
_RIVAL = "ъ"
"""Bulgarian has no letter of its own, but hardly a line without this one."""
_LONG = 30
"""How many letters, none of them another language's, prove the most common language of a script."""
_EVERYWHERE = frozenset(
    [
        "ok",
        "okay",
        "okey",
        "k",
        "lol",
        "xd",
        "haha",
        "hahaha",
        "wow",
        "omg",
        "super",
        "top",
        "hmm",
        "mmm",
        "yes",
        "no",
        "rt",
        "via",
        "app",
        "online",
        "web",
        "email",
    ]
)
"""Words of every language, which therefore say nothing."""
_ADDRESS = frozenset(("http", "www."))
"""How an address begins; a word that begins so is no loss."""


_Met: TypeAlias = tuple[int, str, str]
"""What a chunk says: its packed votes, 0 for none; its words, "" when they say nothing of a language; script, "" for Latin."""


def detect(chunks: Sequence[str], languages: Sequence[str] = ()) -> tuple[str, float]:
    """Return the language, "" when there is none to tell, and how sure it is, 0 to 1.

    `languages` are the ones a brand expects: when unsure, the answer is one of them.
    """
    met = list(map(_recall, chunks[:_HEARD]))
    *votes, heard, foreign = _LANES.unpack(sum([packed for packed, _, _ in met]).to_bytes(_LANES.size, "little"))
    if foreign:
        script = _most_written(met)
        if script:
            return _by_script(script, " ".join([word for _, word, _ in met if word]), languages)
    return _latin(votes, heard, met, languages)


def _most_written(met: Sequence[_Met]) -> str:
    letters: dict[str, int] = {}
    for _, word, script in met:
        letters[script] = letters.get(script, 0) + len(word)
    latin = letters.pop("", 0)
    best = "ja" if "ja" in letters else max(letters, key=letters.__getitem__)
    return best if letters[best] > latin else ""


def _meet(chunk: str) -> _Met:
    telling = [
        token for token in tokens(chunk) if token[0].isalpha() and token[:4] not in _ADDRESS and token.lower() not in _EVERYWHERE
    ]
    table = votes()
    heard = sum([table.get(token) or table.get(squeeze(fold(token)), 0) for token in telling])
    script = _script("".join(telling)[:MAX_WORD])
    return heard + _FOREIGN_WORD if script else heard, " ".join(telling), script


_KNOWN = Memory(_meet)
_recall = _KNOWN.__getitem__


def _script(letters: str) -> str:
    if letters.isascii() or max(letters) <= _LAST_LATIN:
        return ""
    scripts = [_script_of(letter) for letter in letters if letter.isalpha()]
    return "ja" if "ja" in scripts else max(scripts, key=scripts.count, default="")


@lru_cache(maxsize=4_096)
def _script_of(letter: str) -> str:
    return next((script for script, first, last in _RANGES if first <= ord(letter) <= last), "")


def _only(languages: Sequence[str]) -> tuple[str, float]:
    return (languages[0], 0.5) if len(languages) == 1 else ("", 0.0)


def _by_script(default: str, text: str, languages: Sequence[str]) -> tuple[str, float]:
    allowed = _SPOKEN.get(default, (default,))
    if len(allowed) == 1 and default != _OTHER:
        return default, 0.99
    looked_at = text[:_LOOKED_AT]
    if default in _OWN and _is_most_common(default, looked_at):
        return default, 0.99
    letters = _NOT_LETTERS.sub("", looked_at)
    named = _named(text)
    if default == _OTHER:
        return named, 0.9 if named else 0.0
    expected = [language for language in languages if language in allowed]
    proof = _PROOFS.get(named, "")
    proven = bool(proof) and any(letter in letters.lower() for letter in proof)
    denied = any(letter in letters.lower() for letter in _DISPROOFS.get(named, "")) or named not in _DISPROOFS
    long = len(letters) >= _SHORT
    if named in allowed and (named == default or proven or not denied or (long and not proof)):
        if proven or long:
            return named, 0.97
        likelier = named not in expected if expected else _has_strong_words(default, looked_at)
        if named == default or not likelier:
            return named, 0.85
    if len(expected) == 1:
        return expected[0], 0.75
    return default, 0.75 if named in allowed else 0.6


def _has_strong_words(language: str, text: str) -> bool:
    """Tell whether every word is in a lexicon of polarity: a short text is then rather in that language than in a rarer one."""
    known = polarity(language).words
    return all(word in known for word in text.lower().split())


def _is_most_common(language: str, text: str) -> bool:
    if _FOREIGN[language].search(text):
        return False
    if _OWN[language].search(text):
        return True
    return _RIVAL not in text and len(_NOT_LETTERS.sub("", text)) >= _LONG


def _latin(votes: list[int], heard: int, met: Sequence[_Met], languages: Sequence[str]) -> tuple[str, float]:
    lead = _lead(votes)
    if lead > _CLEAR and 2 * heard > len(met):
        return _loudest(votes, lead, languages)
    words = [word for _, word, _ in met if word]
    if not words:
        return _only(languages)
    named = _named(" ".join(words))
    if named in LATIN:
        votes[LATIN.index(named)] += round(_AGREES * _PARTS)
        lead = _lead(votes)
    if named in _OUTSIDE_LATIN and _lead(votes, 3) < _OUTSIDE + _OUTSIDE_PER_WORD * (len(words) - heard):
        return _restricted(named, min(0.95, 0.3 + 0.08 * len(words)), votes, languages)
    if lead <= 0:
        return _restricted("", 0.0, votes, languages)
    return _loudest(votes, lead, languages)


def _lead(votes: Sequence[int], place: int = 2) -> float:
    """Return how far the first is ahead of the second, in nats; with 3, of the third: sister languages share their words."""
    ranked = sorted(votes)
    return (ranked[-1] - ranked[-place]) / _PARTS


def _loudest(votes: Sequence[int], lead: float, languages: Sequence[str]) -> tuple[str, float]:
    return _restricted(LATIN[votes.index(max(votes))], 0.99 / (1.0 + exp(-_COOLED * lead)), votes, languages)


def _restricted(language: str, confidence: float, votes: Sequence[int], languages: Sequence[str]) -> tuple[str, float]:
    if not languages or language in languages or (language and confidence >= SURE):
        return language, confidence
    return _expected(votes, languages)


def _expected(votes: Sequence[int], languages: Sequence[str]) -> tuple[str, float]:
    ranked = sorted((votes[LATIN.index(one)], one) for one in languages if one in LATIN)[::-1]
    if not ranked:
        return _only(languages)
    lead = (ranked[0][0] - ranked[1][0]) / _PARTS if len(ranked) > 1 else 1.0
    return (ranked[0][1], 0.5 + 0.2 * (lead > 1.0)) if lead > 0 else ("", 0.0)


def _named(text: str) -> str:
    try:
        _, _, details = pycld2.detect(text, bestEffort=True)
    except pycld2.error:
        return ""
    code: str = details[0][1]
    return _NAMES.get(code, code.partition("-")[0])


@cache
def votes() -> Mapping[str, int]:
    """Return what each common word says about `LATIN`, packed in `_LANES`: parts of a nat above the least that is believed."""
    lines = (files("understanding") / "data" / "languages.tsv").read_text(encoding="utf-8").splitlines()
    sizes = [int(field) for field in lines[0].split("\t")[1:]]
    found = {word: [int(count or 0) for count in counts] for word, *counts in (line.split("\t") for line in lines[1:])}
    for word, place in _lexicon_words():
        found.setdefault(word, [0] * len(LATIN))[place] += _LEXICON_COUNT
    return {word: _opinion(counts, sizes) for word, counts in found.items()}


def _lexicon_words() -> Iterator[tuple[str, int]]:
    """Yield the words that the polarity lexicon of one language alone has, with the language's place."""
    held = [set(polarity(language).words) for language in LATIN]
    shared = Counter(word for words in held for word in words)
    for place, words in enumerate(held):
        yield from ((word, place) for word in words if shared[word] == 1)


def _opinion(counts: Sequence[int], sizes: Sequence[int]) -> int:
    shares = [log((count + _SMOOTHING) / size) for count, size in zip(counts, sizes, strict=True)]
    mean = sum(shares) / len(shares)
    believed = [_MOST_PER_WORD + max(-_MOST_PER_WORD, min(_MOST_PER_WORD, share - mean)) for share in shares]
    return int.from_bytes(_LANES.pack(*[round(_PARTS * one) for one in believed], 1, 0), "little")


def count_words(texts: Mapping[str, Sequence[Sequence[str]]], seen: int) -> str:
    """Return the table that `votes` reads, from the chunks of texts of each language of `LATIN`."""
    counts: dict[str, list[int]] = {}
    for place, language in enumerate(LATIN):
        for chunks in texts[language]:
            for word in {squeeze(fold(chunk)) for chunk in chunks if chunk.isalpha()}:
                counts.setdefault(word, [0] * len(LATIN))[place] += 1
    sizes = "\t".join(str(len(texts[language])) for language in LATIN)
    rows = [
        f"{word}\t" + "\t".join(str(one or "") for one in found) for word, found in sorted(counts.items()) if sum(found) >= seen
    ]
    return "\n".join([f"#\t{sizes}", *rows, ""])

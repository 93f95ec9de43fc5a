"""What an event has besides its words: media, links, questions, emoji, hashtags, mentions."""

import unicodedata
from collections.abc import Mapping

from rules.domain.event import Event, Understanding
from rules.domain.matching.text import MATCHED_CHARACTERS, fold, has_link, is_word, words_form

MEDIA: Mapping[str, frozenset[str]] = {
    "image": frozenset({"image", "photo", "sticker"}),
    "video": frozenset({"video", "reel"}),
    "link": frozenset({"link", "share"}),
}
"""Feature → the contract's types of media that it takes in."""

FLAGS = frozenset({"question", "complaint", "praise", "purchase_intent", "spam"})
"""Features that the understanding of the text decides."""

HASHTAG, MENTION = "hashtag:", "mention:"
"""Features that go on with a folded name."""

PLAIN = frozenset({"image", "video", "link", "emoji_only"}) | FLAGS
"""Features that are one word."""

_QUESTION_MARKS = "?\u061f\u055e\u1367\u2753\u2754"
_GREEK_QUESTION_MARK = "\u037e"
"""Looks like a semicolon, and becomes one when it is folded."""

_KEYS, _KEYCAP = "0123456789#*", "\u20e3"
_BESIDE_EMOJI = frozenset({"So", "Sk", "Sm", "Mn", "Me", "Cf", "Zs", "Cc"})
"""Categories that may stand in a text of emoji only: symbols and what joins, colours and parts them. Punctuation may too."""


def has_feature(feature: str, event: Event, understanding: Understanding) -> bool:
    """Return whether the event has the feature (see `HasLeaf`)."""
    text = event.text[:MATCHED_CHARACTERS]
    if feature.startswith(HASHTAG):
        return feature.removeprefix(HASHTAG) in named(words_form(fold(text)), "#")
    if feature.startswith(MENTION):
        return feature.removeprefix(MENTION) in named(fold(text), "@")
    if feature == "emoji_only":
        return is_emoji_only(text)
    if feature == "question":
        return feature in understanding.flags or has_question_mark(text)
    if feature in MEDIA:
        return not MEDIA[feature].isdisjoint(event.media) or (feature == "link" and has_link(fold(text)))
    return feature in understanding.flags


def named(text: str, sign: str) -> frozenset[str]:
    """Return the names that follow the sign in a folded text: hashtags, or handles with dots and hyphens inside."""
    inside = ".-" if sign == "@" else ""
    names = set()
    start = text.find(sign)
    while start >= 0:
        end = start + 1
        while end < len(text) and (is_word(text[end]) or text[end] in inside):
            end += 1
        if start == 0 or not (is_word(text[start - 1]) or text[start - 1] in "/&.-" + sign):
            names.add(text[start + 1 : end].rstrip(".-"))
        start = text.find(sign, end)
    return frozenset(names - {""})


def has_question_mark(text: str) -> bool:
    """Return whether the text asks by a question mark of any script; those in links do not count."""
    if _GREEK_QUESTION_MARK in text:
        return True
    form = words_form(fold(text))
    return any(mark in form for mark in _QUESTION_MARKS)


def is_emoji_only(text: str) -> bool:
    """Return whether there is at least one emoji, and besides emoji nothing but spaces and punctuation."""
    emoji = False
    for place, character in enumerate(text):
        category = unicodedata.category(character)
        if category == "So" or (character in _KEYS and _KEYCAP in text[place + 1 : place + 3]):
            emoji = True
        elif category not in _BESIDE_EMOJI and category[0] != "P":
            return False
    return emoji

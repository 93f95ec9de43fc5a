"""Whatever comes in, an answer comes out: bounded, deterministic, the same from every thread."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given, settings
from hypothesis import strategies as st

from understanding import Understander, Understood
from understanding.flags import FLAGS

ALPHABET = st.characters(min_codepoint=0, max_codepoint=0x10FFFF)
PIECES = st.sampled_from(
    ["not ", "😡", "👍🏽", "http://x", "@a", "#b", "\\u2019", "&amp;", "\ud800", "\u200d", "ﷺ", "¨", "?", "…", "nicht "]
)


def sound(understood: Understood) -> bool:
    """Say whether an answer keeps its promises."""
    told = understood.sentiment in {"negative", "neutral", "positive"}
    return (
        (told or (understood.sentiment, understood.score, understood.confidence) == ("", 0.0, 0.0))
        and -1 <= understood.score <= 1
        and 0 <= understood.confidence <= 1
        and 0 <= understood.language_confidence <= 1
        and tuple(sorted(set(understood.flags) & set(FLAGS))) == understood.flags
    )


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(ALPHABET), st.lists(st.one_of(PIECES, st.text(ALPHABET, max_size=5))).map("".join)))
def test_any_unicode_is_understood(text: str) -> None:
    understander = Understander()
    for language in ("", "en", "hi", "xx"):
        assert sound(understander.understand(text, language=language))


def test_a_long_text_is_read_to_its_bound() -> None:
    understander = Understander()
    long = understander.understand("I love it " * 1_000, language="en")
    assert sound(long)
    assert long == understander.understand("I love it " * 200 + "x" * 10_000, language="en")
    assert sound(understander.understand("a" * 10_000))
    assert sound(understander.understand("😡" * 10_000))


def test_what_cannot_be_told_is_not_told() -> None:
    understander = Understander()
    for text in ("", "http://example.org", "@anna", "谢谢你们"):
        assert understander.understand(text).sentiment == ""


def test_words_of_every_language_are_heard_in_a_likely_one() -> None:
    for text in ("super", "top!!", "wow"):
        heard = Understander().understand(text)
        assert (heard.language, heard.sentiment) == ("", "positive"), text
    assert Understander().understand("super", languages=["xx", "de", "en"]).sentiment == "positive"
    assert Understander().understand("ok", languages=["de", "en"]).sentiment == "", "no word of these judges anything"


def test_emoji_speak_in_every_language() -> None:
    understander = Understander()
    assert understander.understand("😍😍").sentiment == "positive"
    assert understander.understand("😡🤮").sentiment == "negative"
    assert understander.understand("とても 😍🔥", language="ja").sentiment == "positive"


def test_threads_get_the_same_answers() -> None:
    texts = [f"{word} day number {number}" for number in range(40) for word in ("lovely", "awful", "schöner", "schlechter")]
    alone = [Understander().understand(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(Understander().understand, texts)) == alone

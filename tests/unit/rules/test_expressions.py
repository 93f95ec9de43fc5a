"""Regular expressions that are right for every script, and what they may cost."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.adapters.matching import MAX_PROGRAM, build_matcher, check_expression
from rules.domain.leaves import TextMode
from rules.domain.matching.expressions import MARK, MAX_REPEATS, SIGN, ExpressionError, prepared, translate
from rules.domain.matching.text import fold
from rules.domain.matching.vocabulary import VocabularyBuilder, forms_of


def is_found(expression: str, text: str) -> bool:
    builder = VocabularyBuilder()
    keys = builder.keys(expression, TextMode.REGEX, squeeze=False)
    return not keys.isdisjoint(builder.build(build_matcher).find(forms_of(text)))


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (r"\bprice\b", "the PRICE!"),
        (r"\bцена\b", "Цена?"),
        (r"\bgröße\b", "welche Größe?"),
        (r"größe", "GRÖSSE"),
        (r"GRÖSSE", "größe"),
        (r"ё", "еще"),
        (r"\bकमी\b", "वह कमी है"),
        (r"^\w+$", "कमी"),
        (r"^\w+$", "größe"),
        (r"^\W+$", "😍 😍!"),
        (r"\w+ing\b", "I am Running."),
        (r"^\d+ ?€$", "49 €"),
        (r"\d{2}", "रु ४९"),
        (r"[А-Я]{3}", "абв"),
        (r"(?i)price", "PRICE"),
        (r"(?P<what>price|cost)s?\b.{0,30}\d", "prices: about 5"),
        (r"foo\b \bbar", "foo bar"),
        (r"foo\s+bar", "foo \n\u00a0bar"),
        ("how  much", "how much"),
        (r"foo.{0,3}bar", "foo 😍 bar"),
        (r"[😍❤️]{2}", "so ❤️😍"),
        (r"x[^a]y", "x😍y"),
        (r"x[\s\S]y", "x y"),
        (r"[^\w\s]", "a b…"),
        (r"\S+@\S+\.com", "me anna@acme.com"),
        (r"https?://\S+", "see https://a.b/c"),
        (r"\p{Greek}", "α"),
        (r"\p{So}", "😍"),
        (r"[\p{Lu}]", "a"),
        (r"[\w-]+b", "é-b"),
        (r"[[:alpha:]]+[[:digit:]]", "ö5"),
        (r"½ kg", "½ kg"),
        (r"ß+$", "ßß"),
        (r"[xß]$", "ß"),
        (r"\x{1F60D}", "😍"),
        (r"a\.b\\c", "a.b\\c"),
        (r"(?:\b\bprice\b)\b", "price"),
        (r"^$", ""),
    ],
)
def test_what_is_found(expression: str, text: str) -> None:
    assert is_found(expression, text)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (r"\bprice\b", "priceless"),
        (r"\bцена\b", "оценка"),
        (r"\bgröß\b", "größe"),
        (r"\bकम\b", "कमी"),
        (r"^\w+$", "größe!"),
        (r"\W", "größe"),
        (r"x[^😍]y", "x😍y"),
        (r"[^\w\s]", "a b"),
        (r"\P{L}", "ö"),
        (r"\D", "5"),
        (r"\S", " "),
        (r"^.$", "ab"),
        (r"[^a-z]", "ABC"),
        (r"a|b", "c"),
        (r"\$5", "5"),
        ("[\u200b]", "x"),
    ],
)
def test_what_is_not_found(expression: str, text: str) -> None:
    assert not is_found(expression, text)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("(", "missing"),
        ("a**", "bad repetition"),
        ("[a", "without its ]"),
        ("[z-a]", "no range"),
        ("(?=x)", "looking ahead"),
        ("(?<!x)y", "looking ahead"),
        (r"(x)\1", "not possible"),
        (r"\Bx", "not possible"),
        (r"x\b+", "cannot be repeated"),
        (r"\q", "means nothing"),
        ("x\\", "means nothing"),
        (r"\p{Klingon}", "invalid character class"),
        (r"\p{Cc}", "no such characters"),
        (r"\p!", "written"),
        (r"[\P{L}x]", "outside"),
        (r"[\Dx]", "outside"),
        (r"[[:cntrl:]]", "not possible"),
        (f"x{{{MAX_REPEATS + 1}}}", f"at most {MAX_REPEATS}"),
        (f"x{{1,{MAX_REPEATS + 1}}}", f"at most {MAX_REPEATS}"),
        (r"(?:\d{50}x){50}", "invalid repetition size"),
        (r"(?:\d{10}x){50}", "too costly"),
        (r"\p{L}{1,20}", "too costly"),
        ("x*", "empty text"),
        ("|price", "empty text"),
        (r"^", "empty text"),
    ],
)
def test_what_may_not_be_saved_says_what_to_write_instead(expression: str, words: str) -> None:
    with pytest.raises(ExpressionError) as refusal:
        check_expression(expression)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    "expression", [r"\w{3,20}\b", r"(?:price|cost)s?\b.{0,30}\d+", rf"x{{{MAX_REPEATS}}}", r"\p{Cyrillic}+", "цена"]
)
def test_what_people_write_is_within_bounds(expression: str) -> None:
    check_expression(expression)
    assert MAX_PROGRAM > 0


signs = st.sampled_from(
    [*"abцß😍कि()[]{}|*+?.^$\\-,:!<=>1 ", r"\b", r"\w", r"\W", r"\s", r"\d", r"\p{L}", "[^", "(?:", "{2}", "\u0301"]
)


@given(st.lists(signs, max_size=12).map("".join), st.text(max_size=20))
def test_whatever_is_written_is_used_or_refused(expression: str, text: str) -> None:
    with suppress(ExpressionError):
        check_expression(expression)
        assert is_found(expression, text) in {True, False}
        assert not is_found(expression, "")


@given(st.text(alphabet=st.sampled_from("ab ц!😍कि\u0301\x01\x02."), max_size=30))
def test_prepared_text_holds_the_text_and_its_boundaries(text: str) -> None:
    folded = fold(text)
    ready = prepared(folded)
    assert ready.replace(MARK, "").replace(SIGN, "") == folded.replace(MARK, " ").replace(SIGN, " ")
    assert ready.count(MARK) % 8 == 0  # every word that begins ends


@given(st.text(alphabet=st.sampled_from("abцß 😍.!"), min_size=1, max_size=12))
def test_a_text_is_found_by_itself_escaped(text: str) -> None:
    text = " ".join(text.split())
    escaped = "".join(character if character.isalnum() else rf"\x{{{ord(character):X}}}" for character in text)
    assert is_found(escaped, text)


def test_sets_that_are_too_large_for_one_are_split(monkeypatch: pytest.MonkeyPatch) -> None:
    expressions = [translate(rf"\bword{number}\b") for number in range(300)]
    whole = build_matcher([], expressions).expressions
    monkeypatch.setattr("rules.adapters.matching._SET_MEMORY", 60_000)
    parts = build_matcher([], expressions).expressions
    assert whole is not None
    assert parts is not None
    text = prepared("word7 and word299 and word3000")
    assert sorted(whole(text)) == sorted(parts(text)) == [7, 299]

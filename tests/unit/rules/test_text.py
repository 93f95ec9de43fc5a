"""What compares equal, and where a word ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.adapters.matching import build_matcher
from rules.domain.leaves import TextMode
from rules.domain.matching.text import MASK, exact_form, fold, is_maskable, patterns, squeezed, words_form
from rules.domain.matching.vocabulary import VocabularyBuilder, forms_of


def is_found(term: str, text: str, mode: TextMode = TextMode.WORDS, *, squeeze: bool = False) -> bool:
    builder = VocabularyBuilder()
    keys = builder.keys(term, mode, squeeze=squeeze)
    return not keys.isdisjoint(builder.build(build_matcher).find(forms_of(text)))


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("price", "PRICE?"),
        ("price", "ＰＲＩＣＥ please"),
        ("price", "#price"),
        ("price", "the item's price, pls"),
        ("price", "price’s too high"),
        ("how much", "How  much\nis it"),
        ("how much", "how-much is it"),
        ("how much", "how\u00a0much"),
        ("e-mail", "my email is"),
        ("e-mail", "my e mail is"),
        ("e-mail", "my e–mail is"),
        ("don't", "I don’t know"),
        ("don't", "I dont know"),
        ("don't", "I don`t know"),
        ("don't", "I don´t know"),
        ("article", "l'article"),
        ("straße", "STRASSE"),
        ("größe", "welche Gro\u0308ße?"),
        ("сколько стоит", "Сколько стоит?"),
        ("ещё", "и еще раз"),
        ("istanbul", "İSTANBUL"),
        ("ışık", "IŞIK"),
        ("سعر", "كم سِعْر هذا"),
        ("سعر", "ســعر"),
        ("कीमत", "इसकी कीमत क्या है"),
        ("😍", "love😍😍"),
        ("❤", "❤️"),
        ("👍", "👍🏽"),
        ("🇩🇪", "🇩🇪🇺🇸"),
        ("price", "pr\u00adice"),
        ("price", "@shop.berlin price?"),
        ("price", "https://x.org/a price"),
        ("great", "great.me too"),
    ],
)
def test_what_people_type_in_different_ways_is_found(term: str, text: str) -> None:
    assert is_found(term, text)


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("price", "priceless"),
        ("price", "enterprice"),
        ("price", "price_list"),
        ("price", "https://acme.com/price"),
        ("price", "www.price.de"),
        ("price", "acme.com/price"),
        ("acme", "look at shop.acme.com"),
        ("acme", "ask @acme about it"),
        ("anna", "write to anna@acme.com"),
        ("look it", "look @anna it"),
        ("цена", "оценка"),
        ("größ", "größe"),
        ("कम", "कमी"),  # a vowel sign belongs to the word
        ("5", "5\ufe0f\u20e3"),
        ("🇪🇺", "🇩🇪🇺🇸"),  # the halves of two other flags
        ("價格", "請問價格多少"),  # no spaces: `contains` is for that
    ],
)
def test_what_only_looks_alike_is_not_found(term: str, text: str) -> None:
    assert not is_found(term, text)


@pytest.mark.parametrize(
    ("term", "text"), [("價格", "請問價格多少"), ("いくら", "これはいくらですか"), ("ราคา", "สอบถามราคาหน่อย"), ("ric", "price")]
)
def test_contains_needs_no_boundaries(term: str, text: str) -> None:
    assert is_found(term, text, TextMode.CONTAINS)


@pytest.mark.parametrize(("text", "expected"), [("Price?", True), (" ¡price! ", True), ("price 😍", False), ("the price", False)])
def test_exact_is_the_whole_text_without_punctuation_around_it(text: str, expected: bool) -> None:
    assert is_found("price", text, TextMode.EXACT) is expected


def test_exact_keeps_handles() -> None:
    assert not is_found("price", "price @anna", TextMode.EXACT)


@pytest.mark.parametrize(
    ("term", "text"), [("cool", "coooool"), ("so good", "Sooo gooood"), ("wow", "WOOOOW"), ("hello", "hello hellooo")]
)
def test_repeated_letters_do_not_matter_when_asked(term: str, text: str) -> None:
    assert is_found(term, text, squeeze=True)


def test_squeezing_changes_nothing_where_no_letter_stands_three_times() -> None:
    assert squeezed("col") is None
    assert not is_found("cool", "col", squeeze=True)
    assert not is_found("cool", "cooool")


def test_links_and_handles_are_masked_where_they_stand() -> None:
    assert words_form(fold("See https://a.b/c?d=price, @anna and mail bob@x.org")) == f"see {MASK} {MASK} and mail {MASK}"


@pytest.mark.parametrize(("term", "maskable"), [("@acme", True), ("acme.com", True), ("price", False), ("5.50", False)])
def test_terms_that_no_text_can_hold_are_known(term: str, maskable: bool) -> None:
    assert is_maskable(term) is maskable


def test_punctuation_alone_stays_comparable() -> None:
    assert exact_form(fold(" ?? ")) == "??"


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    once = fold(text)
    assert fold(once) == once


@given(st.text(alphabet=st.sampled_from("aé'-.@:/ \u0301w😍\u200d🇩"), max_size=60))
def test_every_pattern_of_a_term_is_found_in_the_term_alone_unless_masked(term: str) -> None:
    for mode in (TextMode.CONTAINS, TextMode.EXACT):
        if patterns(term) and (mode is TextMode.EXACT or not is_maskable(term)):
            assert is_found(term, term, mode)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("unit", ["a", "a.", "-", "@", "a-", "://", "a@b", "www.", ".com", "\u0301", "🇩", "'"])
def test_no_text_is_slow(unit: str) -> None:
    form = words_form(fold(unit * 20_000))
    assert exact_form(form) is not None
    assert len(form) <= 20_000 * len(unit)

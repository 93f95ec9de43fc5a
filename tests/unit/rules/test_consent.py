"""What counts as a yes to a request for rights: only what is unmistakable; everything else waits for a person."""

import pytest

from rules.adapters.consent_phrases import default_phrases
from rules.domain.campaign import ConsentPhrases
from rules.domain.consent import read
from rules.domain.matching.vocabulary import forms_of

GRANTED, REFUSED, WITHDRAWN, UNCLEAR = "granted", "refused", "withdrawn", "unclear"


def usual() -> ConsentPhrases:
    table = default_phrases("acme").values()
    return ConsentPhrases(*(tuple(phrase for one in table for phrase in one[kind]) for kind in (GRANTED, REFUSED, WITHDRAWN)))


def answer(text: str, phrases: ConsentPhrases | None = None) -> str:
    found = read(phrases or usual(), forms_of(text)[1])
    return str(found.answer) if found is not None else ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#YesAcme", GRANTED),
        ("Of course! #yesacme 😍", GRANTED),
        ("I agree, thank you for asking!", GRANTED),
        ("ＩＡｇｒｅｅ".replace("ＩＡ", "Ｉ Ａ"), GRANTED),
        ("Yes you may", GRANTED),
        ("You can have my permission slip", ""),
        ("I don't agree", REFUSED),
        ("I do not agree", REFUSED),
        ("No thanks!", REFUSED),
        ("#noacme", REFUSED),
        ("do not write #yesacme", UNCLEAR),
        ("never ever #yesacme", UNCLEAR),
        ("I agree only if you pay me", UNCLEAR),
        ("I agree, but not for ads", UNCLEAR),
        ("Do I have to write #yesacme?", UNCLEAR),
        ("#yesacme #noacme", UNCLEAR),
        ("#yesacme ... no thanks", UNCLEAR),
        ("I withdraw my permission", WITHDRAWN),
        ("#stopacme", WITHDRAWN),
        ("#stopacme I once wrote #yesacme", WITHDRAWN),
        ("#yesacmeplease", ""),
        ("https://acme.example/#yesacme", ""),
        ("what a nice day", ""),
        ("Ich stimme zu!", GRANTED),
        ("Ich bin einverstanden", GRANTED),
        ("Ich bin nicht einverstanden", REFUSED),
        ("Ich stimme nicht zu", REFUSED),
        ("Ich erlaube es", GRANTED),
        ("Ich erlaube es nicht", REFUSED),
        ("Ich erlaube es euch auf keinen Fall", UNCLEAR),
        ("Ja gerne, aber nur bis Mai", UNCLEAR),
        ("Hiermit widerrufe ich.", WITHDRAWN),
        ("J’accepte", GRANTED),
        ("Je n'accepte pas", REFUSED),
        ("Je suis d’accord", GRANTED),
        ("Je ne suis pas d'accord", REFUSED),
        ("je suis d'accord ou pas ?", UNCLEAR),
        ("Estoy de acuerdo", GRANTED),
        ("No estoy de acuerdo", REFUSED),
        ("retiro mi consentimiento", WITHDRAWN),
        ("Sono d'accordo!", GRANTED),
        ("Non sono d'accordo", REFUSED),
        ("Estou de acordo", GRANTED),
        ("Não estou de acordo", REFUSED),
        ("revogo meu consentimento", WITHDRAWN),
    ],
)
def test_the_usual_phrases_in_six_languages(text: str, expected: str) -> None:
    assert answer(text) == expected


def test_a_yes_inside_a_longer_no_is_a_no() -> None:
    phrases = ConsentPhrases(granted=("ok to share",), refused=("not ok to share",))
    assert answer("that is ok to share", phrases) == GRANTED
    assert answer("that is not ok to share", phrases) == REFUSED
    assert answer("not ok to share. The other one is ok to share", phrases) == UNCLEAR


@pytest.mark.parametrize("distance", range(6))
def test_a_negation_counts_within_three_words_on_both_sides(distance: int) -> None:
    phrases = ConsentPhrases(granted=("#yesacme",))
    between = " ".join(["word"] * distance)
    expected = UNCLEAR if distance < 3 else GRANTED
    assert answer(f"nicht {between} #yesacme", phrases) == expected
    assert answer(f"#yesacme {between} nicht", phrases) == expected


def test_each_usual_phrase_is_heard_as_what_it_is() -> None:
    for kind in (GRANTED, REFUSED, WITHDRAWN):
        for phrases in default_phrases("acme").values():
            for phrase in phrases[kind]:
                assert answer(phrase) == kind, phrase
                assert answer(f"{phrase.upper()}!") == kind, phrase

"""Which language: short texts in many languages, brands' languages, texts without any."""

import pytest

from understanding import Understander

SENTENCES = [
    ("en", "The delivery was late again"),
    ("en", "love it"),
    ("de", "Das ist wirklich schön"),
    ("de", "danke"),
    ("fr", "merci"),
    ("fr", "C'est pas mal du tout"),
    ("es", "me encanta"),
    ("es", "¿Cuánto cuesta?"),
    ("it", "Quanto costa questa borsa?"),
    ("es", "que lindo"),
    ("pt", "linda"),
    ("pt", "obrigado"),
    ("pt", "Adorei, muito bom"),
    ("hi", "bahut accha laga bhai"),
    ("hi", "mujhe ye chahiye kitne ka hai"),
    ("hi", "यह बहुत अच्छा है"),
    ("ru", "спасибо"),
    ("ru", "Когда будет доставка?"),
    ("ru", "супер"),
    ("uk", "Дякую, дуже гарно!"),
    ("uk", "погано"),
    ("ar", "الخدمة سيئة جدا"),
    ("fa", "خیلی ممنون از شما، چقدر قشنگه"),
    ("nl", "Ik vind het heel mooi, dank je wel"),
    ("sv", "Det var jättebra, tack så mycket"),
    ("pl", "Bardzo dziękuję, świetna obsługa"),
    ("tr", "Çok güzel olmuş, teşekkür ederim"),
    ("id", "Terima kasih banyak, bagus sekali"),
    ("ro", "Mulțumesc frumos, foarte bine"),
    ("cs", "Děkuji, je to moc hezké"),
    ("hu", "Köszönöm szépen, nagyon jó"),
    ("fi", "Kiitos paljon, todella hyvä"),
    ("vi", "Cảm ơn bạn rất nhiều"),
    ("el", "Ευχαριστώ πολύ"),
    ("he", "תודה רבה"),
    ("th", "ขอบคุณมาก"),
    ("ko", "감사합니다"),
    ("ja", "商品が届きません"),
    ("zh", "谢谢你们"),
]


@pytest.mark.parametrize(("language", "text"), SENTENCES)
def test_a_short_sentence_is_heard_in_its_language(language: str, text: str) -> None:
    understood = Understander().understand(text)
    assert understood.language == language
    assert 0.3 <= understood.language_confidence <= 1.0


@pytest.mark.parametrize("text", ["", "   ", "😂😂", "http://example.org/a?b=c", "@anna", "12345", "!!!", "ok", "lol"])
def test_what_says_nothing_about_a_language_has_none(text: str) -> None:
    understood = Understander().understand(text)
    assert (understood.language, understood.language_confidence) == ("", 0.0)


def test_a_word_of_every_language_is_in_the_brands_only_one() -> None:
    assert Understander().understand("ok", languages=["de"]).language == "de"
    assert Understander().understand("ok", languages=["de", "en"]).language == ""


def test_an_unsure_answer_is_one_of_the_brands_languages() -> None:
    text = "la casa"
    for languages in (["es"], ["it"]):
        assert Understander().understand(text, languages=languages).language in languages


def test_a_short_text_in_a_shared_script_is_in_the_brands_language() -> None:
    assert Understander().understand("супер магазин", languages=["ru", "en"]).language == "ru"
    assert Understander().understand("супер магазин", languages=["uk"]).language == "uk"
    assert Understander().understand("Дякую, смачно і гарно!", languages=["ru"]).language == "uk", "its own letters prove it"


def test_a_sure_answer_is_kept_although_the_brand_does_not_expect_it() -> None:
    text = "Das ist leider gar nicht angekommen und ich warte seit zwei Wochen"
    assert Understander().understand(text, languages=["en", "fr"]).language == "de"


def test_a_fixed_language_is_taken_as_it_is() -> None:
    understood = Understander().understand("das ist gut", language="pt-BR")
    assert (understood.language, understood.language_confidence) == ("pt", 1.0)


def test_scripts_mixed_with_handles_and_addresses() -> None:
    assert Understander().understand("@anna Спасибо за подарок http://example.org/x iPhone").language == "ru"
    assert Understander().understand("RT @user: شكرا جزيلا على الخدمة iPhone http").language == "ar"

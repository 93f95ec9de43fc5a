"""Flags: each flag in each language, what takes a flag back, and a brand's own terms."""

import pytest

from understanding import Understander

FLAGGED = {
    "question": {
        "en": "where can I find the manual",
        "de": "wann kommt das neue Modell",
        "fr": "quand sera la prochaine date",
        "es": "cuándo abren la tienda",
        "it": "quando esce il nuovo modello",
        "pt": "alguém sabe o horário",
        "ru": "подскажите когда откроетесь",
        "ar": "متى يفتح المحل",
        "hi": "kab aayega naya model",
    },
    "complaint": {
        "en": "My order never arrived and nobody answers",
        "de": "Meine Bestellung ist immer noch nicht da, keine Antwort",
        "fr": "Toujours pas reçu ma commande, aucune réponse",
        "es": "Mi pedido no ha llegado y nadie responde",
        "it": "Il pacco non è arrivato e nessuno risponde",
        "pt": "Meu pedido não chegou e ninguém responde",
        "ru": "Заказ не пришел, никто не отвечает",
        "ar": "لم يصل طلبي ولا أحد يرد",
        "hi": "abhi tak nahi aaya, koi reply nahi",
    },
    "praise": {
        "en": "Great job, thank you so much",
        "de": "Vielen Dank, super Service",
        "fr": "Bravo, service impeccable",
        "es": "Muchas gracias, excelente servicio",
        "it": "Complimenti, ottimo lavoro",
        "pt": "Parabéns, ótimo atendimento",
        "ru": "Спасибо, отличный сервис",
        "ar": "شكرا لكم، خدمة ممتازة",
        "hi": "bahut badhiya, dhanyavad",
    },
    "purchase_intent": {
        "en": "How much is it and do you ship to Spain",
        "de": "Was kostet das und wo kann ich das kaufen",
        "fr": "C'est combien et où acheter",
        "es": "Cuánto cuesta, lo quiero",
        "it": "Quanto costa, dove posso comprarlo",
        "pt": "Quanto custa, quero comprar",
        "ru": "Сколько стоит, где купить",
        "ar": "بكم هذا، وين اشتري",
        "hi": "kitne ka hai, mujhe chahiye",
    },
    "spam": {
        "en": "Earn money from home, click the link in my bio",
        "de": "Schnell Geld verdienen, klick auf den Link",
        "fr": "Gagner de l'argent facile, cliquez ici",
        "es": "Gana dinero desde casa, link en mi bio",
        "it": "Guadagnare da casa, clicca qui",
        "pt": "Ganhe dinheiro em casa, link na bio",
        "ru": "Заработок на дому, переходи по ссылке",
        "ar": "اربح المال الآن، اضغط على الرابط",
        "hi": "ghar baithe paise kamao, link par click karo",
    },
}


@pytest.mark.parametrize(("flag", "language"), [(flag, language) for flag, texts in FLAGGED.items() for language in texts])
def test_a_flag_is_raised(flag: str, language: str) -> None:
    assert flag in Understander().understand(FLAGGED[flag][language], language=language).flags


@pytest.mark.parametrize(("flag", "language"), [(flag, language) for flag, texts in FLAGGED.items() for language in texts])
def test_spam_and_praise_are_raised_for_nothing_else(flag: str, language: str) -> None:
    raised = set(Understander().understand(FLAGGED[flag][language], language=language).flags)
    assert raised & {"spam", "praise"} <= {flag}


@pytest.mark.parametrize("text", ["Really?", "حقا؟", "¿De verdad?", "ok ?", "what?!"])
def test_a_question_mark_asks_in_every_language(text: str) -> None:
    assert Understander().understand(text).flags == ("question",)


@pytest.mark.parametrize(
    "text", ["The blue one is in the window", "see http://example.org/?q=1", "I know where it is", "She told me what it is"]
)
def test_no_question_without_a_sign_of_one(text: str) -> None:
    assert "question" not in Understander().understand(text, language="en").flags


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("thanks for nothing", "praise"),
        ("not perfect", "praise"),
        ("I am not impressed", "praise"),
        ("I don't want to buy this", "purchase_intent"),
        ("unstoppable priceless refundable", "complaint"),
        ("imperfection", "praise"),
    ],
)
def test_what_takes_a_flag_back(text: str, flag: str) -> None:
    assert flag not in Understander().understand(text, language="en").flags


def test_flags_are_sorted_and_unique() -> None:
    flags = Understander().understand("How much is it? It never arrived! No reply? Great job", language="en").flags
    assert flags == ("complaint", "praise", "purchase_intent", "question")


def test_a_brand_adds_its_own_terms() -> None:
    own = Understander({"complaint": {"en": ["squeak*"], "*": ["error 42"]}, "not praise": {"en": ["perfect storm"]}})
    assert own.understand("The pedals are squeaking", language="en").flags == ("complaint",)
    assert own.understand("Die Anzeige sagt Error 42", language="de").flags == ("complaint",)
    assert own.understand("This is a perfect storm", language="en").flags == ()
    assert Understander().understand("The pedals are squeaking", language="en").flags == ()


def test_a_flag_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown flags praises"):
        Understander({"praises": {"en": ["nice"]}})

"""What is remembered: never more than its bound, and nothing that an answer would depend on."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given, settings
from hypothesis import strategies as st

from understanding import Understander, Understood, language
from understanding.memory import Memory
from understanding.model import model
from understanding.text import MAX_WORD, TOKEN, tokens

TEXTS = (
    "Where is my order? It never arrived and nobody answers 😡",
    "not good, not bad... but LOVELY!!! #brand",
    "Das ist leider gar nicht schön",
    "Спасибо, отличный сервис",
    "الخدمة سيئة جدا",
    "bahut accha nahi hai",
    "C'est pas mal du tout :) http://example.org/1",
)


def test_each_text_is_learnt_once() -> None:
    asked: list[str] = []

    def learn(text: str) -> int:
        asked.append(text)
        return len(text)

    memory = Memory(learn)
    assert [memory[text] for text in ("one", "two", "one", "three", "two")] == [3, 3, 3, 5, 3]
    assert asked == ["one", "two", "three"]


def test_a_memory_never_holds_more_than_its_size_and_forgets_the_older_half() -> None:
    memory = Memory(len, size=4)
    for text in ("a", "bb", "ccc", "dddd"):
        assert memory[text] == len(text)
    assert list(memory) == ["a", "bb", "ccc", "dddd"]
    assert memory["eeeee"] == 5
    assert list(memory) == ["ccc", "dddd", "eeeee"]
    for number in range(1_000):
        assert memory[str(number)] == len(str(number))
        assert len(memory) <= 4


def test_long_texts_are_not_remembered() -> None:
    memory = Memory(len)
    assert memory["x" * (MAX_WORD + 1)] == MAX_WORD + 1
    assert memory["x" * MAX_WORD] == MAX_WORD
    assert list(memory) == ["x" * MAX_WORD]


def test_a_memory_that_many_threads_fill_keeps_its_answers_and_about_its_size() -> None:
    memory = Memory(len, size=50)
    texts = ["x" * (number % 40) + str(number) for number in range(5_000)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(memory.__getitem__, texts)) == [len(text) for text in texts]
    assert len(memory) <= 50 + 4


def forgotten() -> None:
    """Forget everything that any understander has met."""
    language._KNOWN.clear()
    for name in ("en", "de", "ru", "ar", "hi", "fr", "und"):
        shipped = model(name)
        assert shipped is not None
        shipped._pieces.clear()


def read_after(before: list[str], text: str) -> Understood:
    """Return what is understood by one that has read `before` only."""
    forgotten()
    understander = Understander()
    for one in before:
        understander.understand(one)
    return understander.understand(text)


@settings(max_examples=100, deadline=None)
@given(before=st.lists(st.one_of(st.sampled_from(TEXTS), st.text(max_size=12)), max_size=5), text=st.sampled_from(TEXTS))
def test_an_answer_does_not_depend_on_what_was_read_before(before: list[str], text: str) -> None:
    assert read_after(before, text) == read_after([], text)


def test_an_answer_is_the_same_first_and_again_and_by_a_full_memory() -> None:
    first = [read_after([], text) for text in TEXTS]
    understander = Understander()
    assert [understander.understand(text) for text in TEXTS] == first
    english = model("en")
    assert english is not None
    small, chunks = Memory(english._meet, size=2), [chunk for text in TEXTS for chunk in text.split()]
    assert [small[chunk] for chunk in chunks] == [english._meet(chunk) for chunk in chunks]


@settings(max_examples=300)
@given(st.text(max_size=12))
def test_letters_alone_are_one_token_and_a_token_is_one_in_any_place(text: str) -> None:
    for chunk in text.split():
        assert tokens(chunk) == TOKEN.findall(chunk)
        assert all(TOKEN.findall(token) == [token] for token in tokens(chunk))


def test_what_is_no_token_moves_no_word() -> None:
    understander = Understander()
    for selector in ("\ufe0f", "\u200d"):
        plain, between = "the coffee tastes not good. thanks", f"the coffee tastes {selector} not good. thanks"
        assert understander.understand(between, language="en") == understander.understand(plain, language="en")

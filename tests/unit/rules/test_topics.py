"""Topics: what the index names is what looking for every term by itself names."""

from hypothesis import given
from hypothesis import strategies as st

from rules.adapters.matching import build_matcher
from rules.domain.campaign import Topic
from rules.domain.leaves import TextMode
from rules.domain.matching.vocabulary import VocabularyBuilder, forms_of
from rules.domain.topics import TopicIndex

WORDS = st.sampled_from(["bike", "Bike", "one", "e-bike", "#bike", "don't", "café", "CAFÉ", "bikes", "велосипед", "🚲", "3000"])
PHRASES = st.lists(WORDS, min_size=1, max_size=2).map(" ".join)
TOPICS = st.lists(
    st.tuples(st.sampled_from(["product", "topic", "competitor"]), st.lists(PHRASES, min_size=1, max_size=3)), max_size=6
)
TEXTS = st.lists(st.one_of(WORDS, st.sampled_from(["!", "and", "@bike", "https://bike.example"])), max_size=8).map(" ".join)


def naive(topics: list[Topic], text: str) -> tuple[str, ...]:
    """Ask for each term alone."""

    def named(term: str) -> bool:
        builder = VocabularyBuilder()
        keys = builder.keys(term, TextMode.WORDS, squeeze=False)
        return bool(keys & set(builder.build(build_matcher).find(forms_of(text))))

    return tuple(sorted({topic.name for topic in topics if any(map(named, topic.terms))}))


@given(TOPICS, TEXTS)
def test_the_index_names_what_each_term_alone_names(found: list[tuple[str, list[str]]], text: str) -> None:
    topics = [Topic(f"{kind}:t{number}", tuple(terms)) for number, (kind, terms) in enumerate(found)]
    assert TopicIndex(topics, build_matcher).named(forms_of(text)) == naive(topics, text)


def test_one_term_may_belong_to_several_topics() -> None:
    index = TopicIndex([Topic("product:one", ("bike one",)), Topic("competitor:rival", ("rival", "bike one"))], build_matcher)
    assert index.named(forms_of("I love my Bike-One!")) == ("competitor:rival", "product:one")
    assert index.named(forms_of("bike once")) == ()

"""The topics that a text names: products, watched topics, competitors. One index a brand, which looks for all terms at once."""

from collections import defaultdict
from collections.abc import Sequence

from rules.domain.campaign import Topic
from rules.domain.leaves import TextMode
from rules.domain.matching.vocabulary import Forms, MatcherFactory, VocabularyBuilder


class TopicIndex:
    """The topics of one brand; read-only after construction."""

    __slots__ = ("_by_key", "_vocabulary", "topics")

    def __init__(self, topics: Sequence[Topic], factory: MatcherFactory) -> None:
        self.topics = tuple(topics)
        builder = VocabularyBuilder()
        by_key: defaultdict[int, set[str]] = defaultdict(set)
        for topic in self.topics:
            for term in topic.terms:
                for key in builder.keys(term, TextMode.WORDS, squeeze=False):
                    by_key[key].add(topic.name)
        self._by_key = {key: tuple(names) for key, names in by_key.items()}
        self._vocabulary = builder.build(factory)

    def named(self, forms: Forms) -> tuple[str, ...]:
        """Return `kind:id` of every topic that the text names, in order."""
        found = self._vocabulary.find(forms)
        if not found:
            return ()
        return tuple(sorted({name for key in found for name in self._by_key[key]}))

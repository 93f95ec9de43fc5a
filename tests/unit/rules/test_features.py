"""What is seen of an event besides its words, and how active it was."""

from collections.abc import Callable

import pytest

from rules.domain.cobra import cobra_level
from rules.domain.decision import CobraLevel
from rules.domain.event import NOTHING_UNDERSTOOD, Event, Understanding
from rules.domain.matching.features import FLAGS, has_feature

Comments = Callable[..., Event]


@pytest.mark.parametrize(
    ("feature", "text", "expected"),
    [
        ("question", "How much is it?", True),
        ("question", "多少钱？", True),
        ("question", "كم السعر؟", True),
        ("question", "Πόσο κάνει\u037e", True),
        ("question", "really ❓", True),
        ("question", "see https://acme.com/x?y=1", False),
        ("question", "how much", False),
        ("link", "see https://acme.com", True),
        ("link", "see www.acme.de now", True),
        ("link", "acme.com/price", True),
        ("link", "acme.com", True),
        ("link", "mail me at anna@acme.com", False),
        ("link", "so good.really", False),
        ("link", "it costs 5.50", False),
        ("emoji_only", "😍😍", True),
        ("emoji_only", "😍 👍🏽 ❤️!!", True),
        ("emoji_only", "👩‍🚀🇩🇪", True),
        ("emoji_only", "5️⃣", True),
        ("emoji_only", "5", False),
        ("emoji_only", "!!", False),
        ("emoji_only", "", False),
        ("emoji_only", "😍 wow", False),
        ("hashtag:summer26", "my #Summer26!", True),
        ("hashtag:summer26", "＃SUMMER26", True),
        ("hashtag:summer26", "#summer2026", False),
        ("hashtag:summer26", "summer26", False),
        ("hashtag:summer", "a#summer", False),
        ("hashtag:summer", "https://acme.com/#summer", False),
        ("hashtag:गर्मी", "देखो #गर्मी में", True),
        ("hashtag:größe", "#GRÖSSE", False),
        ("mention:anna.m", "hey @Anna.M, look", True),
        ("mention:anna.m", "thanks @anna.m.", True),
        ("mention:anna", "@anna.m", False),
        ("mention:acme.com", "@acme.com hi", True),
        ("mention:acme", "me@acme", False),
        ("mention:acme", "https://medium.com/@acme", False),
        ("image", "image", False),
    ],
)
def test_what_the_text_shows(comment: Comments, feature: str, text: str, expected: bool) -> None:
    assert has_feature(feature, comment(text=text), NOTHING_UNDERSTOOD) is expected


@pytest.mark.parametrize(
    ("feature", "media", "expected"),
    [
        ("image", ("photo",), True),
        ("image", ("video", "image"), True),
        ("image", ("video",), False),
        ("video", ("reel",), True),
        ("link", ("share",), True),
        ("link", ("file",), False),
    ],
)
def test_what_is_attached(comment: Comments, feature: str, media: tuple[str, ...], expected: bool) -> None:
    assert has_feature(feature, comment(text="hi", media=media), NOTHING_UNDERSTOOD) is expected


@pytest.mark.parametrize("flag", sorted(FLAGS))
def test_what_was_understood(comment: Comments, flag: str) -> None:
    event = comment(text="hi")
    assert has_feature(flag, event, Understanding(flags=frozenset({flag})))
    assert not has_feature(flag, event, NOTHING_UNDERSTOOD)


@pytest.mark.parametrize(
    ("kind", "changes", "level"),
    [
        ("follow", {"text": ""}, CobraLevel.CONSUMING),
        ("reaction", {"text": ""}, CobraLevel.CONTRIBUTING),
        ("share", {"text": "look at this"}, CobraLevel.CONTRIBUTING),
        ("comment", {"media": ("image",)}, CobraLevel.CONTRIBUTING),
        ("reply", {}, CobraLevel.CONTRIBUTING),
        ("message", {}, CobraLevel.CONTRIBUTING),
        ("review", {"text": "", "rating": 5.0}, CobraLevel.CONTRIBUTING),
        ("review", {"text": "  \n", "rating": 5.0}, CobraLevel.CONTRIBUTING),
        ("review", {"text": "great", "rating": 5.0}, CobraLevel.CREATING),
        ("review", {"text": "great", "verb": "edit"}, CobraLevel.CREATING),
        ("review", {"text": "great", "verb": "delete"}, CobraLevel.UNSPECIFIED),
        ("post", {"text": "", "media": ("video",)}, CobraLevel.CREATING),
        ("post", {"text": "I love acme"}, CobraLevel.CREATING),
        ("post", {"text": ""}, CobraLevel.CONTRIBUTING),
        ("mention", {"text": ""}, CobraLevel.CREATING),
        ("story_mention", {"text": ""}, CobraLevel.CREATING),
        ("comment", {"echo": True}, CobraLevel.UNSPECIFIED),
        ("unspecified", {}, CobraLevel.UNSPECIFIED),
    ],
)
def test_every_event_has_one_level_of_activity(
    comment: Comments, kind: str, changes: dict[str, object], level: CobraLevel
) -> None:
    assert cobra_level(comment(kind=kind, **changes)) is level

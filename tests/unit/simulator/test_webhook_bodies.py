"""Bodies and signatures as the platform's documentation shows them."""

import hashlib
import hmac

import orjson
import pytest

from simulator.model import Account, Comment, Message, Person, Platform, Post, Review
from simulator.payloads import comment_change, mention_change, message_event, post_change, reaction_change, review_change
from simulator.webhooks import body, change, encode, messaging, sign

PAGE = Account(Platform.FACEBOOK, "1234567890321", "Tester", "t", "app_secret")
INSTAGRAM = Account(Platform.INSTAGRAM, "17841405309211844", "brand", "t", "app_secret")
POST = Post("1234567890321_901097836652708", PAGE, PAGE.person, "hello", 1449135000)
MEDIA = Post("17918920912340654", INSTAGRAM, INSTAGRAM.person, "photo", 1519399000)


def page_comment(**changes: object) -> Comment:
    comment = Comment("901097836652708_903438993085259", PAGE, POST, None, PAGE.person, "and the next one", 1449135003, 0)
    for name, value in changes.items():
        setattr(comment, name, value)
    return comment


def instagram_comment(parent: str | None = None) -> Comment:
    return Comment("17873440459141021", INSTAGRAM, MEDIA, parent, Person("232323", "u"), "This!", 1519399307, 0)


def test_the_published_signature_vector() -> None:
    raw = (
        rb'{"object":"page","entry":[{"id":"1","time":1,"changes":[{"field":"feed","value":{"item":"comment",'
        rb'"verb":"add","message":"\u00e4\u00f6\u00e5"}}]}]}'
    )
    expected = "sha256=531a8f7aefa32949c31d4cfa945d30449989d6aeb874b86901ff30c5da1e1d5e"
    assert sign("app_secret", raw)["X-Hub-Signature-256"] == expected
    account = Account(Platform.FACEBOOK, "1", "n", "t", "app_secret")
    update = change(account, "feed", {"item": "comment", "verb": "add", "message": "äöå"}, subject="", verb="add")
    assert body([update], 1, per_entry=8) == raw


def test_the_legacy_signature_is_sent_too() -> None:
    digest = hmac.new(b"k", b"body", hashlib.sha1).hexdigest()
    assert sign("k", b"body")["X-Hub-Signature"] == f"sha1={digest}"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("äöå", r'{"a":"\u00e4\u00f6\u00e5"}'),
        ("http://x", r'{"a":"http:\/\/x"}'),
        ("😡", r'{"a":"\ud83d\ude21"}'),
        ('say "hi" \\ no', r'{"a":"say \"hi\" \\ no"}'),
        ("متى", r'{"a":"\u0645\u062a\u0649"}'),
    ],
)
def test_texts_are_escaped_as_ascii_and_read_back_unchanged(text: str, escaped: str) -> None:
    assert encode({"a": text}) == escaped
    assert orjson.loads(escaped) == {"a": text}


def test_a_new_page_comment_is_the_documented_body() -> None:
    update = change(PAGE, *comment_change(page_comment(), "add", 1449135003), subject="c", verb="add")
    assert orjson.loads(body([update], 1449135003, per_entry=8)) == {
        "object": "page",
        "entry": [
            {
                "id": "1234567890321",
                "time": 1449135003,
                "changes": [
                    {
                        "field": "feed",
                        "value": {
                            "item": "comment",
                            "verb": "add",
                            "comment_id": "901097836652708_903438993085259",
                            "post_id": "1234567890321_901097836652708",
                            "parent_id": "1234567890321_901097836652708",
                            "from": {"id": "1234567890321", "name": "Tester"},
                            "created_time": 1449135003,
                            "message": "and the next one",
                        },
                    }
                ],
            }
        ],
    }


def test_a_removed_page_comment_keeps_its_author_and_loses_its_text() -> None:
    _, value = comment_change(page_comment(), "remove", 1449135009)
    assert "message" not in value
    assert value["from"] == {"id": "1234567890321", "name": "Tester"}
    assert value["created_time"] == 1449135009


def test_the_author_can_be_missing_and_a_photo_needs_no_text() -> None:
    _, value = comment_change(page_comment(text="", photo="https://x/p.jpg"), "add", 1, with_author=False)
    assert "from" not in value
    assert "message" not in value
    assert value["photo"] == "https://x/p.jpg"


def test_a_reply_names_its_parent_and_an_ad_its_promotion() -> None:
    _, value = comment_change(page_comment(parent="901097836652708_1", ad=True), "add", 1)
    assert value["parent_id"] == "901097836652708_1"
    assert value["post"] == {"id": POST.id, "promotion_status": "active", "is_published": False}


@pytest.mark.parametrize("flat", [True, False])
def test_both_instagram_shapes_are_the_documented_ones(*, flat: bool) -> None:
    update = change(INSTAGRAM, *comment_change(instagram_comment(), "add", 1), subject="c", verb="add")
    inner = {
        "field": "comments",
        "value": {
            "id": "17873440459141021",
            "from": {"id": "232323", "username": "u"},
            "text": "This!",
            "media": {"id": "17918920912340654", "media_product_type": "FEED"},
        },
    }
    entry = {"id": INSTAGRAM.id, "time": 1519399307, **(inner if flat else {"changes": [inner]})}
    assert orjson.loads(body([update], 1519399307.9, per_entry=8, flat=flat)) == {"object": "instagram", "entry": [entry]}


def test_an_instagram_body_can_be_wrapped_in_an_array_and_a_page_body_never_is() -> None:
    one = change(INSTAGRAM, *comment_change(instagram_comment("9"), "add", 1), subject="c", verb="add")
    other = change(PAGE, *comment_change(page_comment(), "add", 1), subject="c", verb="add")
    wrapped = orjson.loads(body([one], 1, per_entry=8, wrap=True))
    assert wrapped[0]["entry"][0]["changes"][0]["value"]["parent_id"] == "9"
    assert isinstance(orjson.loads(body([other], 1, per_entry=8, wrap=True, flat=True)), dict)


def test_several_accounts_and_kinds_share_a_body_in_several_entries() -> None:
    second = Account(Platform.FACEBOOK, "777", "Other", "t2", "app_secret")
    updates = [change(account, "feed", {"n": n}, subject="", verb="add") for n in range(3) for account in (PAGE, second)]
    updates.append(messaging(PAGE, {"m": 1}, subject="m"))
    entries = orjson.loads(body(updates, 1700000000.25, per_entry=2))["entry"]
    shapes = [(entry["id"], len(entry.get("changes", [])), len(entry.get("messaging", []))) for entry in entries]
    assert shapes == [(PAGE.id, 2, 0), (PAGE.id, 1, 0), (PAGE.id, 0, 1), ("777", 2, 0), ("777", 1, 0)]
    assert [entry["time"] for entry in entries[1:3]] == [1700000000, 1700000000250]
    assert [item["value"]["n"] for entry in entries[:2] for item in entry["changes"]] == [0, 1, 2]


def test_messages_count_in_milliseconds_and_echoes_say_so() -> None:
    person = Person("PSID", "Kim")
    said = Message("m_1", PAGE, person, "hello", 1457764197.627, outgoing=False)
    assert message_event(said, "app") == {
        "sender": {"id": "PSID"},
        "recipient": {"id": PAGE.id},
        "timestamp": 1457764197627,
        "message": {"mid": "m_1", "text": "hello"},
    }
    sent = message_event(Message("m_2", PAGE, person, "hi", 2.0, outgoing=True), "app")
    assert sent["sender"] == {"id": PAGE.id}
    assert sent["message"] == {"mid": "m_2", "text": "hi", "is_echo": True, "app_id": "app", "metadata": ""}


def test_mentions_reviews_posts_and_reactions() -> None:
    assert mention_change(Platform.INSTAGRAM, "comment", ("c", "m"), "", 1) == (
        "mentions",
        {"comment_id": "c", "media_id": "m"},
    )
    field, value = mention_change(Platform.FACEBOOK, "post", ("", "p"), "look", 7.5)
    assert field == "mention"
    assert value == {"message": "look", "post_id": "p", "created_time": 7, "item": "post", "verb": "add"}
    review = Review("55", PAGE, Person("r", "Rae"), "bad", positive=False, created=9)
    assert review_change(review, "add", 9)[1]["recommendation_type"] == "NEGATIVE"
    assert review_change(review, "remove", 9) == (
        "ratings",
        {"item": "rating", "verb": "remove", "open_graph_story_id": "55", "reviewer_id": "r"},
    )
    visitor = Post("1234567890321_2", PAGE, Person("v", "Vic"), "hey", 1, visitor=True)
    assert post_change(visitor, "add", 1)[1]["item"] == "post"
    reaction = reaction_change(page_comment(), Person("v", "Vic"), "love", "add", 1)[1]
    assert (reaction["reaction_type"], reaction["comment_id"]) == ("love", "901097836652708_903438993085259")

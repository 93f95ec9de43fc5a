"""What Graph calls mean, on a clock that stands still unless moved."""

from collections.abc import Callable
from random import Random

import pytest

from simulator.budget import Budget, Budgets
from simulator.calls import Call, kind_of
from simulator.chaos import Chaos, DeliveryOptions
from simulator.delivery import DeliveryQueue
from simulator.errors import GraphError
from simulator.faults import Fault, Faults
from simulator.graph import Graph
from simulator.model import Account, Comment, Person, Platform
from simulator.network import Network
from simulator.reading import split_fields
from simulator.world import World

DAY = 86_400.0


class StillClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.moment = 1_700_000_000.0

    def wall(self) -> float:
        return self.moment

    def now(self) -> float:
        return self.moment - 1_700_000_000.0

    def real_seconds(self, platform_seconds: float) -> float:
        return platform_seconds

    async def sleep(self, platform_seconds: float) -> None:
        self.moment += platform_seconds


class Stage:
    """A network with a Page and an Instagram account, and calls in their names."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.queue = DeliveryQueue(Random(1), DeliveryOptions(), Chaos())
        self.world = World(first_id=100)
        self.network = Network(world=self.world, queue=self.queue, clock=self.clock, rng=Random(1))
        self.graph = Graph(network=self.network, clock=self.clock, private_reply_days=7)
        self.page = self.account(Platform.FACEBOOK, "10")
        self.insta = self.account(Platform.INSTAGRAM, "20")

    def account(self, platform: Platform, name: str) -> Account:
        account = Account(platform, name, f"Brand {name}", f"token-{name}", "secret", "http://127.0.0.1/")
        account.subscribed = True
        self.world.accounts[account.key] = account
        return account

    def said(self, account: Account, text: str = "hi", created: float | None = None) -> Comment:
        post = self.world.post_for(account, None, self.clock.wall())
        return self.network.comment(post, Person("p1", "Pat"), text, created=created)

    def call(self, account: Account, method: str, target: str, edge: str = "", **params: object) -> dict[str, object]:
        return self.graph.perform(Call(kind_of(method, edge, params), account, target, edge, params))


@pytest.fixture
def stage() -> Stage:
    return Stage()


def refusal(deed: Callable[[], object]) -> tuple[int, int | None]:
    with pytest.raises(GraphError) as caught:
        deed()
    return caught.value.code, caught.value.subcode


def test_identical_text_under_one_comment_is_refused_and_another_text_is_not(stage: Stage) -> None:
    comment = stage.said(stage.page)
    stage.call(stage.page, "POST", comment.id, "comments", message="thanks")
    assert refusal(lambda: stage.call(stage.page, "POST", comment.id, "comments", message="thanks")) == (506, None)
    stage.call(stage.page, "POST", comment.id, "comments", message="thanks a lot")
    assert comment.own_replies == 2
    other = stage.said(stage.page)
    stage.call(stage.page, "POST", other.id, "comments", message="thanks")
    stage.queue.chaos = Chaos(duplicate_check=False)
    stage.call(stage.page, "POST", other.id, "comments", message="thanks")
    assert other.own_replies == 2


def test_one_private_reply_for_each_comment_within_seven_days(stage: Stage) -> None:
    def private(comment: Comment) -> dict[str, object]:
        params = {"recipient": {"comment_id": comment.id}, "message": {"text": "psst"}}
        return stage.call(comment.account, "POST", comment.account.id, "messages", **params)

    fresh, old = stage.said(stage.page), stage.said(stage.page, created=stage.clock.wall() - 8 * DAY)
    assert set(private(fresh)) == {"recipient_id", "message_id"}
    assert refusal(lambda: private(fresh)) == (10900, None)
    assert refusal(lambda: private(old)) == (10903, None)
    assert set(private(stage.said(stage.insta))) == {"recipient_id", "message_id"}
    assert len(fresh.private_replies) == 1


def test_direct_messages_need_a_word_from_the_person_within_a_day(stage: Stage) -> None:
    def write() -> dict[str, object]:
        params = {"recipient": {"id": "psid"}, "message": {"text": "hello"}}
        return stage.call(stage.page, "POST", "me", "messages", **params)

    assert refusal(write) == (100, 2018001)
    stage.network.message(stage.page, Person("psid", "Kim"), "anyone there?")
    assert write()["recipient_id"] == "psid"
    stage.clock.moment += DAY + 1
    assert refusal(write) == (10, 2018278)


def test_removed_foreign_and_wrong_objects_are_told_apart(stage: Stage) -> None:
    comment, elsewhere = stage.said(stage.page), stage.said(stage.account(Platform.FACEBOOK, "30"))
    stage.network.remove(comment)
    assert refusal(lambda: stage.call(stage.page, "POST", comment.id, "comments", message="x")) == (100, 33)
    assert refusal(lambda: stage.call(stage.page, "GET", "nothing")) == (100, 33)
    assert refusal(lambda: stage.call(stage.page, "DELETE", elsewhere.id)) == (10, None)
    insta = stage.said(stage.insta)
    assert refusal(lambda: stage.call(stage.insta, "POST", insta.id, "comments", message="x")) == (100, 33)
    assert refusal(lambda: stage.call(stage.page, "POST", comment.id, "private_replies", message="x")) == (12, None)
    assert refusal(lambda: stage.call(stage.page, "POST", comment.id, "sharks")) == (2500, None)
    assert stage.graph.refused[100] == 3


@pytest.mark.parametrize("text", ["", "  ", None, "x" * 8001])
def test_texts_that_are_empty_or_too_long_are_refused(stage: Stage, text: str | None) -> None:
    comment = stage.said(stage.page)
    assert refusal(lambda: stage.call(stage.page, "POST", comment.id, "comments", message=text)) == (100, None)
    assert comment.own_replies == 0


def test_hiding_is_told_once_on_facebook_and_never_on_instagram(stage: Stage) -> None:
    comment, insta = stage.said(stage.page), stage.said(stage.insta)
    before = stage.queue.counters.created
    for _ in range(2):
        assert stage.call(stage.page, "POST", comment.id, is_hidden="true") == {"success": True}
    assert stage.call(stage.insta, "POST", insta.id, hide="true") == {"success": True}
    assert (comment.hidden, insta.hidden, stage.queue.counters.created - before) == (True, True, 1)
    assert refusal(lambda: stage.call(stage.page, "POST", comment.id, is_hidden="maybe")) == (100, None)
    assert stage.call(stage.insta, "POST", insta.id, hide="false") == {"success": True}
    assert not insta.hidden


def test_only_own_comments_can_be_edited_and_anyone_s_can_be_deleted(stage: Stage) -> None:
    comment = stage.said(stage.page)
    reply = stage.call(stage.page, "POST", comment.id, "comments", message="thnks")
    stage.call(stage.page, "POST", str(reply["id"]), message="thanks")
    assert comment.children[0].text == "thanks"
    assert refusal(lambda: stage.call(stage.page, "POST", comment.id, message="mine")) == (200, None)
    stage.call(stage.page, "DELETE", comment.id)
    assert comment.removed
    assert comment.children[0].removed


def test_listings_come_in_pages_that_join_up(stage: Stage) -> None:
    comment = stage.said(stage.page)
    for number in range(7):
        stage.call(stage.page, "POST", comment.id, "comments", message=f"answer {number}")
    found: list[object] = []
    after, pages = "", 0
    while True:
        listing = stage.call(stage.page, "GET", comment.id, "comments", fields="id,message", limit="3", after=after)
        assert isinstance(listing["data"], list)
        found += [row["message"] for row in listing["data"]]
        pages += 1
        paging = listing["paging"]
        assert isinstance(paging, dict)
        if "next" not in paging:
            break
        after = paging["cursors"]["after"]
    assert found == [f"answer {number}" for number in range(7)]
    assert pages == 3


def test_a_cursor_survives_the_removal_of_its_comment(stage: Stage) -> None:
    comment = stage.said(stage.page)
    for number in range(4):
        stage.call(stage.page, "POST", comment.id, "comments", message=f"answer {number}")
    first = stage.call(stage.page, "GET", comment.id, "comments", fields="message", limit="2")["paging"]
    assert isinstance(first, dict)
    stage.network.remove(comment.children[1])
    rest = stage.call(stage.page, "GET", comment.id, "comments", fields="message", after=first["cursors"]["after"])
    assert isinstance(rest["data"], list)
    assert [row["message"] for row in rest["data"]] == ["answer 2", "answer 3"]


def test_a_wrong_cursor_field_or_limit_is_refused(stage: Stage) -> None:
    comment = stage.said(stage.page)
    for params in ({"after": "!"}, {"after": "bm90aGluZw=="}, {"limit": "many"}):
        assert refusal(lambda chosen=params: stage.call(stage.page, "GET", comment.id, "comments", **chosen)) == (100, None)
    assert refusal(lambda: stage.call(stage.page, "GET", comment.id, fields="id,shoe_size")) == (100, None)


def test_a_listing_can_lag_behind(stage: Stage) -> None:
    comment = stage.said(stage.page)
    stage.queue.chaos = Chaos(visibility_delay=5)
    stage.call(stage.page, "POST", comment.id, "comments", message="soon")
    assert stage.call(stage.page, "GET", comment.id, "comments")["data"] == []
    stage.clock.moment += 5
    listing = stage.call(stage.page, "GET", comment.id, "comments")["data"]
    assert isinstance(listing, list)
    assert listing[0]["from"] == {"id": "10", "name": "Brand 10"}
    assert listing[0]["created_time"] == "2023-11-14T22:13:20+0000"


def test_instagram_replies_can_be_read_back_nested_or_listed(stage: Stage) -> None:
    comment = stage.said(stage.insta)
    made = stage.call(stage.insta, "POST", comment.id, "replies", message="hey")
    row = {"id": made["id"], "text": "hey", "from": {"id": "20", "username": "Brand 20"}}
    assert stage.call(stage.insta, "GET", comment.id, "replies", fields="id,text,from")["data"] == [row]
    nested = stage.call(stage.insta, "GET", comment.id, fields="id,replies{id,text,from}")
    assert nested == {"id": comment.id, "replies": {"data": [row]}}


def test_private_replies_can_be_read_back(stage: Stage) -> None:
    comment = stage.said(stage.page)
    fields = "can_reply_privately"
    assert stage.call(stage.page, "GET", comment.id, fields=fields)["can_reply_privately"] is True
    params = {"recipient": {"comment_id": comment.id}, "message": {"text": "psst"}}
    sent = stage.call(stage.page, "POST", "10", "messages", **params)
    assert stage.call(stage.page, "GET", comment.id, fields=fields)["can_reply_privately"] is False
    [dialogue] = stage.call(stage.page, "GET", "10", "conversations", user_id="p1")["data"]  # type: ignore[misc]
    assert dialogue["messages"]["data"][0]["id"] == sent["message_id"]


def test_an_instagram_mention_is_fetched_by_its_brand_only(stage: Stage) -> None:
    mention = stage.network.mention(stage.insta, Person("f", "fan"), "love @brand", in_comment=True)
    fields = f"mentioned_comment.comment_id({mention.id}){{text,id}}"
    found = stage.call(stage.insta, "GET", "20", fields=fields)["mentioned_comment"]
    assert found == {"text": "love @brand", "id": mention.id}
    other = stage.account(Platform.INSTAGRAM, "21")
    assert refusal(lambda: stage.call(other, "GET", "21", fields=fields)) == (100, 33)


def test_fields_are_split_outside_braces() -> None:
    text = "id, from{id,name},comments.limit(5).order(x){id,from{id}},message"
    assert split_fields(text) == [("id", ""), ("from", "id,name"), ("comments", "id,from{id}"), ("message", "")]


def test_a_budget_runs_out_and_comes_back_after_an_hour(stage: Stage) -> None:
    budget = Budget(4, 32)
    assert [budget.spend(moment) for moment in (0, 10, 20, 30, 40)] == [True, True, True, True, False]
    assert budget.percent(40) == 100
    assert budget.regained_in(40) == 3560
    assert budget.spend(3600)
    budgets = Budgets(1_000)
    budgets.limit(stage.insta, 1, None)
    budgets.charge(stage.insta, 0)
    assert refusal(lambda: budgets.charge(stage.insta, 1)) == (80002, None)
    assert '"estimated_time_to_regain_access": 1}' in budgets.headers(stage.insta, 1, 60.0)["X-Business-Use-Case-Usage"]
    assert '"estimated_time_to_regain_access": 60}' in budgets.headers(stage.insta, 1, 1.0)["X-Business-Use-Case-Usage"]
    budgets.charge(stage.page, 1)


def test_faults_match_in_order_and_run_out(stage: Stage) -> None:
    faults = Faults(Random(3))
    faults.add(
        [
            Fault.model_validate({"match": {"call": "hide"}, "action": "slow", "times": 2}),
            Fault.model_validate({"match": {"target": "c1", "platform": "facebook"}, "action": "error", "code": 368}),
            Fault.model_validate({"action": "unreadable_200", "rate": 0.5}),
        ]
    )
    hide = Call("hide", stage.page, "c9", "", {})
    private = Call("private_reply", stage.page, "10", "messages", {"recipient": {"comment_id": "c1"}})
    first = [faults.take(hide), faults.take(hide), faults.take(private)]
    assert [fault.action for fault in first if fault] == ["slow", "slow", "error"]
    struck = [faults.take(private) is not None for _ in range(200)]
    assert 60 < sum(struck) < 140
    assert [entry["times"] for entry in faults.listing()] == [None]
    faults.clear()
    assert faults.take(private) is None


@pytest.mark.parametrize(
    ("error", "status", "expected"),
    [
        (GraphError(190, 463), 401, {"code": 190, "error_subcode": 463, "type": "OAuthException"}),
        (GraphError(100, 33, target="42"), 400, {"code": 100, "error_subcode": 33, "type": "GraphMethodException"}),
        (GraphError(2), 500, {"code": 2, "is_transient": True}),
        (GraphError(368), 403, {"code": 368, "error_user_title": "You're Temporarily Blocked"}),
        (GraphError(4, status=400), 400, {"code": 4}),
        (GraphError(4711), 400, {"code": 4711, "message": "(#4711) An error occurred"}),
    ],
)
def test_error_bodies(error: GraphError, status: int, expected: dict[str, object]) -> None:
    inner = error.body("trace")["error"]
    assert isinstance(inner, dict)
    assert error.http_status() == status
    assert inner["fbtrace_id"] == "trace"
    assert expected.items() <= inner.items()
    assert "{id}" not in str(inner)


def test_a_photo_on_a_page_stands_until_it_is_removed(stage: Stage) -> None:
    made = stage.call(stage.page, "POST", "10", "photos", url="https://antiphon.example/media/1", message="Look!")
    post = stage.world.posts[str(made["id"])]
    assert (post.photo, post.text, post.visitor) == ("https://antiphon.example/media/1", "Look!", False)
    stage.call(stage.page, "DELETE", post.id)
    assert post.removed
    with pytest.raises(GraphError):
        stage.call(stage.page, "POST", "10", "photos", url="data:image/png;base64,AA")


def test_a_container_is_published_once_and_by_its_owner(stage: Stage) -> None:
    made = stage.call(stage.insta, "POST", "20", "media", image_url="https://antiphon.example/media/1", caption="Look!")
    before = len(stage.world.posts)
    with pytest.raises(GraphError):
        stage.call(stage.page, "POST", "10", "media_publish", creation_id=made["id"])
    published = stage.call(stage.insta, "POST", "20", "media_publish", creation_id=made["id"])
    assert stage.world.posts[str(published["id"])].photo == "https://antiphon.example/media/1"
    with pytest.raises(GraphError):
        stage.call(stage.insta, "POST", "20", "media_publish", creation_id=made["id"])
    assert len(stage.world.posts) == before + 1

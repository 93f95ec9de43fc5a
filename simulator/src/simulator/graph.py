"""The Graph API's meaning: what each call does to the network, and when it refuses. No HTTP here."""

from collections import Counter
from collections.abc import Callable

from simulator.calls import Call, text_of
from simulator.clock import Clock
from simulator.errors import GraphError, gone
from simulator.model import Account, Comment, Platform, Post
from simulator.network import Network
from simulator.reading import Json, Reader, conversation, read_account, read_post

DAY = 86_400.0

REPLY_WINDOW = DAY
"""Real seconds after a person's last message in which the brand may write to them."""

TEXT_LIMIT = {Platform.FACEBOOK: 8000, Platform.INSTAGRAM: 2200}
"""Characters of a comment."""

MESSAGE_LIMIT = 2000
"""Characters of a direct message."""


class Graph:
    """Carries out calls on the network."""

    def __init__(self, *, network: Network, clock: Clock, private_reply_days: float) -> None:
        self._network = network
        self._world = network.world
        self._clock = clock
        self._private_reply_span = private_reply_days * DAY
        self._containers: dict[str, tuple[Account, str, str]] = {}
        self.done: Counter[str] = Counter()
        self.refused: Counter[int] = Counter()
        self._deeds: dict[str, Callable[[Call], Json]] = {
            "read": self._read,
            "reply": self._reply,
            "private_reply": self._private_reply,
            "message": self._message,
            "hide": self._hide,
            "edit": self._edit,
            "delete": self._delete,
            "like": self._like,
            "unlike": self._like,
            "subscribe": self._subscribe,
            "photo": self._photo,
            "container": self._container,
            "publish": self._publish,
        }

    def perform(self, call: Call) -> Json:
        """Do it and answer with the body of a success, or raise `GraphError`."""
        try:
            answer = self._deeds[call.kind](call)
        except GraphError as error:
            self.refused[error.code] += 1
            raise
        self.done[call.kind] += 1
        return answer

    def _comment(self, call: Call, name: str | None = None) -> Comment:
        target = call.target if name is None else name
        comment = self._world.comments.get(target)
        if comment is None or comment.removed or comment.account.platform is not call.account.platform:
            raise gone(target)
        if comment.account is not call.account:
            raise GraphError(10)
        return comment

    def _post(self, call: Call) -> Post | None:
        post = self._world.posts.get(call.target)
        return post if post and post.account is call.account and not post.removed else None

    def _own(self, call: Call) -> Account:
        if call.target not in {call.account.id, "me"}:
            raise gone(call.target)
        return call.account

    def _reply(self, call: Call) -> Json:
        post = self._post(call) if call.edge == "comments" else None
        instagram = call.account.platform is Platform.INSTAGRAM
        if post is None and instagram != (call.edge == "replies"):
            raise gone(call.target)
        parent = None if post else self._comment(call)
        text = text_of(call.params.get("message"), TEXT_LIMIT[call.account.platform])
        place = parent.post if parent else post
        if place is None:
            raise gone(call.target)
        self._refuse_duplicate(call.account, place, parent, text)
        made = self._network.comment(place, call.account.person, text, parent=parent)
        return {"id": made.id}

    def _refuse_duplicate(self, account: Account, post: Post, parent: Comment | None, text: str) -> None:
        if not self._network.queue.chaos.duplicate_check:
            return
        siblings = parent.children if parent else self._own_on_post(account, post)
        if any(child.text == text and child.author.id == account.id and not child.removed for child in siblings):
            raise GraphError(506)

    def _own_on_post(self, account: Account, post: Post) -> list[Comment]:
        comments = self._world.comments.values()
        return [found for found in comments if found.post is post and found.parent is None and found.own]

    def _private_reply(self, call: Call) -> Json:
        account = self._own(call)
        comment = self._comment(call, str(call.part("recipient")["comment_id"]))
        text = text_of(call.part("message").get("text"), MESSAGE_LIMIT)
        if comment.private_replies and self._network.queue.chaos.duplicate_check:
            raise GraphError(10900)
        if comment.own or self._clock.wall() - comment.created > self._private_reply_span:
            raise GraphError(10903)
        message = self._network.send(account, comment.author, text, comment=comment)
        return {"recipient_id": comment.author.id, "message_id": message.id}

    def _message(self, call: Call) -> Json:
        account = self._own(call)
        person = str(call.part("recipient").get("id") or "")
        text = text_of(call.part("message").get("text"), MESSAGE_LIMIT)
        received = [said for said in self._world.messages.get((*account.key, person), []) if not said.outgoing]
        if not received:
            raise GraphError(100, 2018001)
        if self._clock.wall() - received[-1].created > REPLY_WINDOW:
            raise GraphError(10, 2018278)
        message = self._network.send(account, received[-1].person, text)
        return {"recipient_id": person, "message_id": message.id}

    def _hide(self, call: Call) -> Json:
        name = "hide" if call.account.platform is Platform.INSTAGRAM else "is_hidden"
        comment = self._comment(call)
        wish = str(call.params.get(name)).lower()
        if wish not in {"true", "false", "1", "0"}:
            raise GraphError(100, message=f"(#100) param {name} must be a boolean")
        self._network.hide(comment, wish in {"true", "1"})
        return {"success": True}

    def _edit(self, call: Call) -> Json:
        comment = self._comment(call)
        if call.account.platform is Platform.INSTAGRAM:
            raise gone(call.target)
        if not comment.own:
            raise GraphError(200)
        self._network.edit(comment, text_of(call.params.get("message"), TEXT_LIMIT[call.account.platform]))
        return {"success": True}

    def _delete(self, call: Call) -> Json:
        post = self._post(call)
        if post is not None:
            self._network.remove_post(post)
        else:
            self._network.remove(self._comment(call))
        return {"success": True}

    def _like(self, call: Call) -> Json:
        if call.account.platform is Platform.INSTAGRAM:
            raise gone(call.target)
        target = self._post(call) or self._comment(call)
        self._network.react(target, call.account.person, "like", "add" if call.kind == "like" else "remove")
        return {"success": True}

    def _photo(self, call: Call) -> Json:
        """A photo on a Page, from an address; its own id and the post's are two."""
        account = self._own(call)
        if account.platform is Platform.INSTAGRAM:
            raise gone(call.target)
        post = self._network.post(account, account.person, str(call.params.get("message") or ""), photo=call.address("url"))
        return {"id": post.id, "post_id": f"{account.id}_{post.id}"}

    def _container(self, call: Call) -> Json:
        """What an Instagram account prepares; nobody sees it before it is published."""
        account = self._own(call)
        if account.platform is not Platform.INSTAGRAM:
            raise gone(call.target)
        name = self._world.next_id()
        self._containers[name] = (account, call.address("image_url"), str(call.params.get("caption") or ""))
        return {"id": name}

    def _publish(self, call: Call) -> Json:
        account = self._own(call)
        owner, photo, caption = self._containers.get(str(call.params.get("creation_id") or ""), (None, "", ""))
        if owner is not account:
            raise GraphError(100, message="(#100) creation_id names no container")
        del self._containers[str(call.params["creation_id"])]
        return {"id": self._network.post(account, account.person, caption, photo=photo).id}

    def _subscribe(self, call: Call) -> Json:
        account = self._own(call)
        account.fields = tuple(str(call.params.get("subscribed_fields") or "").split(","))
        return {"success": True}

    def _read(self, call: Call) -> Json:
        delay = self._network.queue.chaos.visibility_delay
        reader = Reader(self._clock.wall() - delay, call.url)
        if call.edge:
            return self._read_edge(call, reader)
        if call.target in {call.account.id, "me"}:
            return read_account(call.account) | self._mentioned(call, reader)
        post = self._post(call)
        return read_post(post) if post else reader.comment(self._comment(call), str(call.params.get("fields") or ""))

    def _read_edge(self, call: Call, reader: Reader) -> Json:
        if call.edge in {"conversations", "subscribed_apps"}:
            return self._conversations(call) if call.edge == "conversations" else self._subscriptions(call)
        instagram = call.account.platform is Platform.INSTAGRAM
        post = self._post(call)
        if call.edge != ("replies" if instagram and post is None else "comments"):
            raise GraphError(100, message=f"(#100) Tried accessing nonexisting field ({call.edge})")
        if post is None:
            return reader.listing(self._comment(call).children, call.params)
        return reader.listing(self._on_post(post), call.params)

    def _on_post(self, post: Post) -> list[Comment]:
        return [found for found in self._world.comments.values() if found.post is post and found.parent is None]

    def _conversations(self, call: Call) -> Json:
        account = self._own(call)
        person = str(call.params.get("user_id") or "")
        found = [said for key, said in self._world.messages.items() if key[:2] == account.key and person in {"", key[2]}]
        return {"data": [conversation(messages) for messages in found]}

    def _subscriptions(self, call: Call) -> Json:
        return {"data": [{"id": self._own(call).id, "subscribed_fields": list(call.account.fields)}]}

    def _mentioned(self, call: Call, reader: Reader) -> Json:
        """`mentioned_comment.comment_id(ID){fields}`: the only way to the text of an Instagram mention."""
        fields = str(call.params.get("fields") or "")
        _, found, rest = fields.partition("mentioned_comment.comment_id(")
        if not found:
            return {}
        name, _, inner = rest.partition(")")
        if self._world.mentions.get(name) != call.account.id:
            raise gone(name)
        wanted = inner.removeprefix("{").rpartition("}")[0]
        return {"mentioned_comment": reader.comment(self._world.comments[name], wanted)}

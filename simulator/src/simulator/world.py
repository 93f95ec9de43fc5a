"""All that exists on the simulated networks. Pure state: no clock, no network; time comes in as an argument."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice, takewhile

from simulator.model import Account, Comment, Message, Person, Platform, Post, Review


class NotFoundError(ValueError):
    """Something was named that does not exist here; the text says what."""


@dataclass(slots=True)
class World:
    """Accounts, posts, comments, messages and reviews, by id.

    `first_id` is where ids begin. A start that depends on the moment keeps the ids of two runs apart, so a receiver
    that remembers the first run does not take the second one's comments for redeliveries.
    """

    first_id: int
    accounts: dict[tuple[Platform, str], Account] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)
    comments: dict[str, Comment] = field(default_factory=dict)
    messages: dict[tuple[Platform, str, str], list[Message]] = field(default_factory=dict)
    reviews: dict[str, Review] = field(default_factory=dict)
    mentions: dict[str, str] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    touched: dict[str, int] = field(default_factory=dict)
    version: int = 0

    def clear(self) -> None:
        """Forget everything but the accounts; ids go on, so none is ever used twice."""
        for store in (self.posts, self.comments, self.messages, self.reviews, self.mentions, self.touched):
            store.clear()
        self.latencies.clear()

    def next_id(self) -> str:
        """A fresh number as text."""
        self.first_id += 1
        return str(self.first_id)

    def account(self, platform: Platform, account: str) -> Account:
        """The account, or `NotFoundError`."""
        found = self.accounts.get((platform, account))
        if found is None:
            raise NotFoundError(f"no {platform} account {account}")
        return found

    def account_of_token(self, token: str) -> Account | None:
        """Whose access token it is."""
        return next((account for account in self.accounts.values() if account.token == token), None)

    def find_comment(self, comment: str) -> Comment:
        """The comment, removed or not, or `NotFoundError`."""
        found = self.comments.get(comment)
        if found is None:
            raise NotFoundError(f"no comment {comment}")
        return found

    def add_post(self, account: Account, author: Person, text: str, now: float, *, post_id: str | None = None) -> Post:
        """A post by the brand or, when the author is somebody else, by a visitor."""
        number = post_id or self.next_id()
        facebook = account.platform is Platform.FACEBOOK and post_id is None
        post = Post(f"{account.id}_{number}" if facebook else number, account, author, text, now)
        post.visitor = author.id != account.id
        self.posts[post.id] = post
        return post

    def post_for(self, account: Account, post_id: str | None, now: float) -> Post:
        """The named post, made if it is new; without a name the account's own first post."""
        if post_id is None:
            own = (post for post in self.posts.values() if post.account is account and not post.visitor)
            return next(own, None) or self.add_post(account, account.person, f"Say hello to {account.name}", now)
        post = self.posts.get(post_id)
        if post is None:
            return self.add_post(account, account.person, "", now, post_id=post_id)
        if post.account is not account:
            raise NotFoundError(f"post {post_id} is not on {account.platform} account {account.id}")
        return post

    def add_comment(
        self, post: Post, author: Person, text: str, *, parent: Comment | None, created: float, now: float
    ) -> Comment:
        """A comment on a post or under another comment; also counts an account's own answers and how fast they came."""
        account = post.account
        number = self.next_id()
        if account.platform is Platform.FACEBOOK:
            number = f"{post.id.rpartition('_')[2]}_{number}"
        above = parent.id if parent else None
        comment = Comment(number, account, post, above, author, text, created, now, own=author.id == account.id)
        self.comments[comment.id] = comment
        if parent is not None:
            parent.children.append(comment)
            if comment.own:
                self._answered(parent, now)
        self.touch(comment)
        return comment

    def _answered(self, parent: Comment, now: float) -> None:
        if not parent.own_replies:
            self.latencies.append(now - parent.seen)
        parent.own_replies += 1

    def add_message(
        self, account: Account, person: Person, text: str, now: float, *, outgoing: bool, comment: Comment | None = None
    ) -> Message:
        """A direct message; with `comment`, the private reply to it."""
        about = comment.id if comment else None
        message = Message(f"m_{self.next_id()}", account, person, text, now, outgoing, about)
        self.messages.setdefault((*account.key, person.id), []).append(message)
        if comment is not None:
            comment.private_replies.append(message)
            self.touch(comment)
            return message
        self._mark(f"message:{account.platform}:{account.id}:{person.id}")
        return message

    def add_review(self, account: Account, reviewer: Person, text: str, now: float, *, positive: bool) -> Review:
        """A recommendation of a Page."""
        review = Review(self.next_id(), account, reviewer, text, positive, now)
        self.reviews[review.story] = review
        self._mark(f"review:{review.story}")
        return review

    def remove(self, comment: Comment) -> list[Comment]:
        """Remove a comment and what stands under it; returns all that is gone by this call, the comment first."""
        gone = [found for found in _with_children(comment) if not found.removed]
        for found in gone:
            found.removed = True
        self.touch(comment)
        return gone

    def root(self, comment: Comment) -> Comment:
        """The top-level comment of a thread."""
        while comment.parent is not None:
            comment = self.comments[comment.parent]
        return comment

    def touch(self, thing: Comment | Post) -> None:
        """Note that a thread or a post looks different now, for whoever watches."""
        name = f"post:{thing.id}" if isinstance(thing, Post) else f"comment:{self.root(thing).id}"
        self._mark(name)

    def _mark(self, name: str) -> None:
        self.version += 1
        self.touched.pop(name, None)
        self.touched[name] = self.version

    def changed_since(self, version: int, limit: int, wanted: Callable[[str], bool]) -> list[tuple[str, int]]:
        """The most recent wanted changes after `version`, newest first, at most `limit`: (what, version)."""
        recent = takewhile(lambda name: self.touched[name] > version, reversed(self.touched))
        return [(name, self.touched[name]) for name in islice(filter(wanted, recent), limit)]


def _with_children(comment: Comment) -> Iterator[Comment]:
    waiting = [comment]
    while waiting:
        found = waiting.pop()
        yield found
        waiting.extend(found.children)

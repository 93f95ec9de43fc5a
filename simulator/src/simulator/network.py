"""What people and brands do on the networks: each deed changes the world and tells the subscribers."""

from random import Random

from simulator.clock import Clock
from simulator.delivery import DeliveryQueue
from simulator.model import Account, Comment, Message, Person, Platform, Post, Review
from simulator.payloads import (
    Json,
    comment_change,
    mention_change,
    message_event,
    post_change,
    reaction_change,
    review_change,
)
from simulator.webhooks import change, messaging
from simulator.world import World

APP_ID = "1517776481860111"
"""The app that echoes of the brand's own messages name."""


class Network:
    """The use cases of both sides: the control API speaks for people, the Graph API for the brand."""

    def __init__(self, *, world: World, queue: DeliveryQueue, clock: Clock, rng: Random) -> None:
        self.world = world
        self.queue = queue
        self._clock = clock
        self._rng = rng

    def wall(self) -> float:
        """Unix seconds."""
        return self._clock.wall()

    def comment(
        self,
        post: Post,
        author: Person,
        text: str,
        *,
        parent: Comment | None = None,
        created: float | None = None,
        ad: bool = False,
        photo: str | None = None,
    ) -> Comment:
        """Write a comment; `created` (unix seconds) may lie in the past."""
        now = self._clock.wall()
        moment = now if created is None else created
        comment = self.world.add_comment(post, author, text, parent=parent, created=moment, now=now)
        comment.ad, comment.photo = ad, photo
        self._tell_comment(comment, "add", moment)
        return comment

    def edit(self, comment: Comment, text: str) -> None:
        """Change a comment's text."""
        comment.text, comment.edited = text, True
        self.world.touch(comment)
        self._tell_silent_on_instagram(comment, "edited")

    def hide(self, comment: Comment, hidden: bool) -> None:
        """Hide a comment or show it again."""
        if comment.hidden != hidden:
            comment.hidden = hidden
            self.world.touch(comment)
            self._tell_silent_on_instagram(comment, "hide" if hidden else "unhide")

    def remove(self, comment: Comment) -> None:
        """Remove a comment and its replies."""
        for gone in self.world.remove(comment):
            self._tell_silent_on_instagram(gone, "remove")

    def post(self, account: Account, author: Person, text: str, *, ad: bool = False, photo: str | None = None) -> Post:
        """Write a post on an account."""
        post = self.world.add_post(account, author, text, self._clock.wall())
        post.ad, post.photo = ad, photo
        self.world.touch(post)
        if account.platform is Platform.FACEBOOK:
            self._tell(account, post_change(post, "add", post.created), post.id, echo=not post.visitor)
        return post

    def remove_post(self, post: Post) -> None:
        """Remove a post."""
        post.removed = True
        self.world.touch(post)
        if post.account.platform is Platform.FACEBOOK:
            told = post_change(post, "remove", self._clock.wall())
            self._tell(post.account, told, post.id, verb="remove", echo=not post.visitor)

    def react(self, target: Comment | Post, person: Person, reaction: str, verb: str) -> None:
        """React to a comment or a post."""
        if isinstance(target, Comment):
            (target.likes.discard if verb == "remove" else target.likes.add)(person.id)
        self.world.touch(target)
        if target.account.platform is Platform.FACEBOOK:
            told = reaction_change(target, person, reaction, verb, self._clock.wall())
            self._tell(target.account, told, target.id, verb=verb, echo=person.id == target.account.id)

    def mention(self, account: Account, author: Person, text: str, *, in_comment: bool) -> Comment | Post:
        """Somebody names the brand on a page of their own; returns what they wrote."""
        now = self._clock.wall()
        place = Account(account.platform, self.world.next_id(), "elsewhere", token="", app_secret="")
        post = self.world.add_post(place, author, "" if in_comment else text, now)
        written: Comment | Post = post
        if in_comment:
            written = self.world.add_comment(post, author, text, parent=None, created=now, now=now)
        self.world.mentions[written.id] = account.id
        ids = (written.id if in_comment else "", post.id)
        told = mention_change(account.platform, "comment" if in_comment else "post", ids, text, now)
        self._tell(account, told, written.id)
        return written

    def review(self, account: Account, reviewer: Person, text: str, *, positive: bool) -> Review:
        """Recommend a Page, or not."""
        review = self.world.add_review(account, reviewer, text, self._clock.wall(), positive=positive)
        self._tell(account, review_change(review, "add", review.created), review.story)
        return review

    def message(self, account: Account, person: Person, text: str) -> Message:
        """A person writes to the brand."""
        message = self.world.add_message(account, person, text, self._clock.wall(), outgoing=False)
        self._tell_message(message)
        return message

    def send(self, account: Account, person: Person, text: str, *, comment: Comment | None = None) -> Message:
        """The brand writes to a person; with `comment`, as its private reply."""
        message = self.world.add_message(account, person, text, self._clock.wall(), outgoing=True, comment=comment)
        self._tell_message(message)
        return message

    def _tell_message(self, message: Message) -> None:
        update = messaging(message.account, message_event(message, APP_ID), subject=message.id)
        update.echo = message.outgoing
        self.queue.publish(update, self._clock.now())

    def _tell_silent_on_instagram(self, comment: Comment, verb: str) -> None:
        """Instagram has no notification for edits, hiding and removal."""
        if comment.account.platform is Platform.FACEBOOK:
            self._tell_comment(comment, verb, self._clock.wall())

    def _tell_comment(self, comment: Comment, verb: str, moment: float) -> None:
        rate = self.queue.chaos.from_missing_rate
        hide_author = verb == "add" and not comment.own and rate > 0 and self._rng.random() < rate
        told = comment_change(comment, verb, moment, with_author=not hide_author)
        self._tell(comment.account, told, comment.id, verb=verb, comment=True, echo=comment.own)

    def _tell(
        self,
        account: Account,
        told: tuple[str, Json],
        subject: str,
        *,
        verb: str = "add",
        comment: bool = False,
        echo: bool = False,
    ) -> None:
        update = change(account, *told, subject=subject, verb=verb)
        update.comment, update.echo = comment, echo
        self.queue.publish(update, self._clock.now())

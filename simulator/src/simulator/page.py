"""The page: what it is made of, and the feed of cards it asks for."""

from collections.abc import Mapping
from importlib.resources import files

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from simulator.control import Controls
from simulator.model import Comment, Message, Platform, Post
from simulator.stats import world_stats
from simulator.world import World

Json = dict[str, object]

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

ASSETS = {"index.html": "text/html", "page.css": "text/css", "page.js": "text/javascript"}

CARDS = 60
"""Cards in one answer: what a screen shows; older ones are past reading when there are more."""

ITEMS = 40
"""Replies shown in one card."""


def page_router(controls: Controls) -> APIRouter:
    """`GET /`, its two files, and `GET /page/feed`."""
    router = APIRouter(include_in_schema=False)
    content = {name: files("simulator").joinpath("static", name).read_bytes() for name in ASSETS}

    def asset(name: str) -> Response:
        return Response(content[name], media_type=ASSETS[name], headers=SECURITY_HEADERS)

    @router.get("/")
    async def index() -> Response:
        return asset("index.html")

    @router.get("/page/page.css")
    async def style() -> Response:
        return asset("page.css")

    @router.get("/page/page.js")
    async def script() -> Response:
        return asset("page.js")

    @router.get("/page/feed")
    async def feed(after: int = Query(default=0, ge=0), platform: Platform | None = None) -> Response:
        """Cards that changed after a version, newest first."""
        return JSONResponse(_feed(controls, after, platform), headers=SECURITY_HEADERS)

    return router


def _feed(controls: Controls, after: int, platform: Platform | None) -> Json:
    world = controls.network.world
    changes = world.changed_since(after, CARDS, lambda name: _wanted(world, name, platform))
    accounts = [
        {"platform": account.platform, "account": account.id, "name": account.name} for account in world.accounts.values()
    ]
    return {
        "run": f"{controls.seed}:{controls.network.queue.generation}",
        "version": world.version,
        "accounts": accounts,
        "stats": world_stats(world, detail=False),
        "cards": [{"key": name, "version": version, **_card(world, name)} for name, version in changes],
    }


def _wanted(world: World, name: str, platform: Platform | None) -> bool:
    return platform is None or _card_platform(world, name) is platform


def _card_platform(world: World, name: str) -> Platform:
    kind, _, key = name.partition(":")
    if kind == "comment":
        return world.comments[key].account.platform
    if kind == "post":
        return world.posts[key].account.platform
    if kind == "review":
        return world.reviews[key].account.platform
    return Platform(key.partition(":")[0])


def _card(world: World, name: str) -> Json:
    kind, _, key = name.partition(":")
    if kind == "comment":
        root = world.comments[key]
        return _head(root.account.platform, root.account.name, kind, root.post.text) | {"items": _thread(root)}
    if kind == "post":
        post = world.posts[key]
        return _head(post.account.platform, post.account.name, kind, "") | {"items": [_post_item(post)]}
    if kind == "review":
        review = world.reviews[key]
        said = "recommends" if review.positive else "does not recommend"
        item = {"author": review.reviewer.name, "text": review.text, "time": review.created}
        return _head(review.account.platform, review.account.name, kind, said) | {"items": [item]}
    platform, account, person = key.split(":", 2)
    said_so_far = world.messages[Platform(platform), account, person]
    head = _head(Platform(platform), said_so_far[0].account.name, kind, "")
    return head | {"items": [_message_item(message) for message in said_so_far[-ITEMS:]]}


def _head(platform: Platform, account: str, kind: str, title: str) -> Json:
    return {"platform": platform, "account": account, "kind": kind, "title": title}


def _thread(root: Comment) -> list[Json]:
    """The comments of a thread, and the private replies to them, each under what it answers, oldest first."""
    items: list[Json] = []
    waiting: list[tuple[Comment | Message, int]] = [(root, 0)]
    while waiting and len(items) < ITEMS:
        found, depth = waiting.pop()
        if isinstance(found, Message):
            items.append(_message_item(found) | {"private": True, "depth": depth})
            continue
        items.append(_comment_item(found, depth))
        answers: list[Comment | Message] = [*found.children, *found.private_replies]
        answers.sort(key=lambda answer: answer.created, reverse=True)
        waiting += [(answer, depth + 1) for answer in answers]
    return items


def _comment_item(comment: Comment, depth: int) -> Json:
    return {
        "id": comment.id,
        "author": comment.author.name,
        "own": comment.own,
        "text": comment.text,
        "time": comment.created,
        "hidden": comment.hidden,
        "removed": comment.removed,
        "edited": comment.edited,
        "ad": comment.ad,
        "photo": bool(comment.photo),
        "likes": len(comment.likes),
        "depth": depth,
    }


def _post_item(post: Post) -> Json:
    return {
        "author": post.author.name,
        "own": not post.visitor,
        "text": post.text,
        "time": post.created,
        "removed": post.removed,
    }


def _message_item(message: Message) -> Json:
    author = message.account.name if message.outgoing else message.person.name
    return {"author": author, "own": message.outgoing, "text": message.text, "time": message.created}

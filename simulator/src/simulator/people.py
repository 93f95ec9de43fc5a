"""The control API, part one: what people do on the networks."""

import asyncio
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from simulator.feeder import CHUNK, Feeder
from simulator.model import Comment, Platform
from simulator.network import Network
from simulator.requests import (
    COMMENT,
    COMMENTS,
    AuthoredText,
    CommentIn,
    EditIn,
    HideIn,
    MentionIn,
    PostIn,
    ReactionIn,
    ReviewIn,
)

Json = dict[str, object]

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a bulk upload: some 200,000 comments."""


def write_comment(network: Network, wanted: CommentIn) -> Comment:
    """Carry out one comment; `NotFoundError` if its account, parent or post is not there."""
    world = network.world
    account = world.account(wanted.platform, wanted.account)
    parent = world.find_comment(wanted.parent) if wanted.parent else None
    if parent is not None and parent.account is not account:
        parent = world.find_comment("")
    post = parent.post if parent else world.post_for(account, wanted.post, network.wall())
    person = wanted.author.person()
    return network.comment(post, person, wanted.text, parent=parent, created=wanted.created(), ad=wanted.ad, photo=wanted.photo)


async def _comments_of(request: Request) -> CommentIn | list[CommentIn]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(413, f"at most {MAX_BODY} bytes")
    try:
        return _parse(bytes(body), lines="ndjson" in request.headers.get("content-type", ""))
    except orjson.JSONDecodeError as error:
        raise HTTPException(400, f"not JSON: {error}") from error
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False, include_context=False)) from error


def _parse(body: bytes, *, lines: bool) -> CommentIn | list[CommentIn]:
    if not lines:
        value = orjson.loads(body)
        return COMMENTS.validate_python(value) if isinstance(value, list) else COMMENT.validate_python(value)
    return COMMENTS.validate_python([orjson.loads(line) for line in body.splitlines() if line.strip()])


def register_people(router: APIRouter, network: Network, feeder: Feeder[CommentIn]) -> None:
    """Routes for comments, posts, reactions, messages, mentions and reviews."""
    _register_comments(router, network, feeder)
    _register_changes(router, network)
    _register_others(router, network)


def _register_comments(router: APIRouter, network: Network, feeder: Feeder[CommentIn]) -> None:
    @router.post("/comments", status_code=201)
    async def comments(request: Request, rate: Annotated[float, Query(ge=0)] = 0.0) -> JSONResponse:
        """One object, a list, or NDJSON (`application/x-ndjson`). `rate` a second spreads a list over time."""
        wanted = await _comments_of(request)
        if isinstance(wanted, CommentIn):
            made = write_comment(network, wanted)
            return JSONResponse({"id": made.id, "post": made.post.id}, 201)
        for item in wanted:
            network.world.account(item.platform, item.account)
        if rate > 0:
            feeder.start(wanted, rate)
            return JSONResponse({"scheduled": len(wanted)}, 202)
        ids: list[str] = []
        for start in range(0, len(wanted), CHUNK):
            ids += [write_comment(network, item).id for item in wanted[start : start + CHUNK]]
            await asyncio.sleep(0)
        return JSONResponse({"created": len(ids), "ids": ids}, 201)


def _register_changes(router: APIRouter, network: Network) -> None:
    @router.post("/comments/{comment}/edit")
    async def edit(comment: str, wanted: EditIn) -> Json:
        """The author changes the text."""
        found = network.world.find_comment(comment)
        network.edit(found, wanted.text)
        return {"id": found.id}

    @router.post("/comments/{comment}/delete")
    async def delete(comment: str) -> Json:
        """The author removes the comment, and with it what stands under it."""
        found = network.world.find_comment(comment)
        network.remove(found)
        return {"id": found.id}

    @router.post("/comments/{comment}/hide")
    async def hide(comment: str, wanted: HideIn | None = None) -> Json:
        """Somebody at the brand hides the comment by hand."""
        found = network.world.find_comment(comment)
        network.hide(found, wanted.hidden if wanted else True)
        return {"id": found.id}

    @router.get("/comments/{comment}")
    async def show(comment: str) -> Json:
        """A comment as it is, with all that was answered, removed or not."""
        return _describe(network.world.find_comment(comment))

    @router.post("/reactions", status_code=201)
    async def react(wanted: ReactionIn) -> Json:
        """Somebody reacts to a comment or a post."""
        target = network.world.posts.get(wanted.target) or network.world.find_comment(wanted.target)
        network.react(target, wanted.author.person(), wanted.reaction, wanted.verb)
        return {"target": wanted.target}


def _register_others(router: APIRouter, network: Network) -> None:
    @router.post("/posts", status_code=201)
    async def post(wanted: PostIn) -> Json:
        """A visitor's post, or without an author the brand's own."""
        account = network.world.account(wanted.platform, wanted.account)
        author = wanted.author.person() if wanted.author else account.person
        return {"id": network.post(account, author, wanted.text, ad=wanted.ad).id}

    @router.post("/messages", status_code=201)
    async def message(wanted: AuthoredText) -> Json:
        """Somebody writes to the brand directly."""
        account = network.world.account(wanted.platform, wanted.account)
        return {"id": network.message(account, wanted.author.person(), wanted.text).id}

    @router.post("/mentions", status_code=201)
    async def mention(wanted: MentionIn) -> Json:
        """Somebody names the brand elsewhere."""
        account = network.world.account(wanted.platform, wanted.account)
        made = network.mention(account, wanted.author.person(), wanted.text, in_comment=wanted.item == "comment")
        return {"id": made.id}

    @router.post("/reviews", status_code=201)
    async def review(wanted: ReviewIn) -> Json:
        """Somebody recommends a Page, or not; Instagram has no reviews."""
        if wanted.platform is not Platform.FACEBOOK:
            raise HTTPException(422, "only Facebook Pages have reviews")
        account = network.world.account(wanted.platform, wanted.account)
        made = network.review(account, wanted.author.person(), wanted.text, positive=wanted.positive)
        return {"id": made.story}


def _describe(comment: Comment) -> dict[str, Any]:
    return {
        "id": comment.id,
        "platform": comment.account.platform,
        "account": comment.account.id,
        "post": comment.post.id,
        "parent": comment.parent,
        "author": {"id": comment.author.id, "name": comment.author.name},
        "text": comment.text,
        "created_time": comment.created,
        "own": comment.own,
        "hidden": comment.hidden,
        "removed": comment.removed,
        "likes": sorted(comment.likes),
        "own_replies": comment.own_replies,
        "replies": [_describe(child) for child in comment.children],
        "private_replies": [{"id": sent.id, "text": sent.text} for sent in comment.private_replies],
    }

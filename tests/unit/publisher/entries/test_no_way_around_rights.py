"""There is no code path from uncleared media to a post, a gallery or a file: every state, window and use is tried, and the
sources are read for any other way out."""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import publisher
from publisher.adapters.media import DirectoryMedia
from publisher.adapters.platforms.facebook import Facebook
from publisher.adapters.platforms.instagram import Instagram
from publisher.adapters.s3_media import S3Media
from publisher.adapters.webhooks import Webhooks
from publisher.domain.calls import Deed, Rate
from publisher.domain.entries.campaign import By, UseKind
from publisher.domain.entries.machine import captured
from publisher.domain.entries.model import Asked, CampaignEntry, EntryState, Medium, Standing, Use
from publisher.domain.entries.rights import Cleared, NotCleared, clear
from publisher.domain.model import Kind, State
from publisher.entry_ports import MediaStore
from publisher.ports import Platform
from publisher.service.entries.clearing import Clearing
from publisher.service.entries.desk import NotNow, Posting
from publisher.service.entries.showing import Showing

SOURCES = sorted(Path(publisher.__file__).parent.glob("**/*.py"))
NOW = 1_800_000_000.0
HELD = {EntryState.GRANTED, EntryState.FEATURED}


def entry(stage: Any, state: EntryState, until: float | None, uses: tuple[UseKind, ...], media: str = "c" * 64) -> CampaignEntry:
    asked = Asked(1, By.REPLY, "request", NOW, 3, "terms", uses, 100.0, 0.0, 0.0)
    standing = Standing(state, NOW, media=(Medium("u", media, "image/png", 3),), asked=asked, granted_until=until)
    return replace(captured(stage.capture("first"), NOW), standing=standing)


WINDOWS = {"endless": None, "open": NOW + 0.001, "just over": NOW, "over": NOW - 1}
ALLOWED: tuple[tuple[UseKind, ...], ...] = ((), (UseKind.GALLERY,), (UseKind.POST,), tuple(UseKind))


@pytest.mark.parametrize("state", EntryState)
def test_states_windows_and_uses(stage: Any, state: EntryState) -> None:
    for window, allowed, use in product(WINDOWS, ALLOWED, UseKind):
        found = clear(entry(stage, state, WINDOWS[window], allowed), use, NOW)
        free = state in HELD and window in {"endless", "open"} and use in allowed
        assert isinstance(found, NotCleared) != free, (window, allowed, use)
        assert isinstance(clear(entry(stage, state, None, allowed, media=""), use, NOW), NotCleared), "nothing is stored"


def test_only_the_check_makes_cleared_media(stage: Any) -> None:
    (real,) = clear(entry(stage, EntryState.GRANTED, None, (UseKind.POST,)), UseKind.POST, NOW)  # type: ignore[misc]
    for proof in (None, object(), real):
        with pytest.raises(TypeError, match="only a check"):
            Cleared("e", "c" * 64, "image/png", UseKind.POST, 3, proof)
    makers = [path.name for path in SOURCES for _ in _calls(path, "Cleared")]
    assert makers == ["rights.py"]
    assert [path.name for path in SOURCES if "_PROOF" in path.read_text()] == ["rights.py"]


def _calls(path: Path, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and (getattr(node.func, "id", "") == name or getattr(node.func, "attr", "") == name):
            yield node


OUTLETS = {"photos", "media_publish", "image_url", "/media/"}
"""What only a way out for media names: the platforms' edges and parameters, and the address of a file."""


def test_every_way_out_for_media_demands_them_cleared() -> None:
    """Enumerated: what names an outlet, and who calls what leads there."""
    naming = {
        path.name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and any(word in node.value for word in OUTLETS)
        if "\n" not in node.value and "`" not in node.value
    }
    assert naming == {"facebook.py", "instagram.py", "meta.py", "http_gallery.py", "pages.py"}
    for outlet in (Platform, Facebook, Instagram, Webhooks):
        assert "Cleared" in str(inspect.signature(outlet.feature).parameters["media"].annotation), outlet
    for store in (MediaStore, DirectoryMedia, S3Media):
        assert "Cleared" in str(inspect.signature(store.read).parameters["media"].annotation), store
    callers = {name: [path.name for path in SOURCES for _ in _calls(path, name)] for name in ("feature", "post_picture")}
    assert callers == {"feature": ["sender.py"], "post_picture": ["meta.py"]}


def test_of_a_bucket_nothing_is_used_but_put_read_and_remove() -> None:
    """No listing and no signed address: what is in a bucket leaves by the same door as what is in a directory."""
    nodes = [node for path in SOURCES for node in ast.walk(ast.parse(path.read_text()))]
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "obstore"}
    assert used == {"put_async", "get_async", "delete_async"}
    imported = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("obstore")}
    assert imported == {"obstore.exceptions", "obstore.store"}


@pytest.mark.parametrize("platform", [Facebook, Instagram])
def test_the_common_way_of_acting_posts_no_media(platform: Any) -> None:
    made = platform(None, "https://graph.example", Rate(1, 1), "https://antiphon.example")
    assert made.call_for("1", Deed("a", Kind.FEATURE, "comment", "t", "u", "text", 0.0)) is None


@pytest.mark.parametrize("undo", ["withdrawn", "deleted", "revoked", "expired"])
async def test_what_ends_the_rights_ends_every_use_at_once(stage: Any, undo: str) -> None:
    """Between the order and the send the rights end: nothing is posted, nothing is shown, no file is served."""
    found = await stage.granted("first")
    showing = Showing(stage.entries, stage.media, stage.clock)
    digest = found.standing.media[0].sha256
    assert [item.entry.entry_id for item in (await showing.gallery("b", "summer", "", 10)).items] == [found.entry_id]
    assert (await showing.file(digest))[1] == b"png of first"  # type: ignore[index]
    ordered = await stage.desk.post(found, Posting("Look!", "key"))
    order = stage.order(ordered.standing.uses[0].action_id).order
    clearing = Clearing(stage.entries, stage.clock)
    assert not isinstance(await clearing.cleared(order), NotCleared)
    if undo == "withdrawn":
        await stage.say("first", "withdrawn")
    elif undo == "deleted":
        await stage.delete("first")
    elif undo == "revoked":
        await stage.desk.revoke(ordered, "key", "asked by mail")
    else:
        stage.clock.advance(365 * 86_400)
    assert isinstance(await clearing.cleared(order), NotCleared)
    assert (await showing.gallery("b", "summer", "", 10)).items == []
    assert await showing.file(digest) is None
    with pytest.raises(NotNow):
        await stage.desk.post(stage.entry("first"), Posting("Look!", "key"))


async def test_a_post_that_outlived_its_rights_goes_with_what_it_shows(stage: Any) -> None:
    ordered = await stage.desk.post(await stage.granted("first"), Posting("Look!", "key"))
    await stage.send(ordered.standing.uses[0].action_id)
    stage.clock.advance(365 * 86_400)
    await stage.sweep.once()
    assert stage.state("first") is EntryState.EXPIRED
    await stage.delete("first")
    ended = stage.entry("first")
    removal = stage.order(ended.standing.uses[0].removal).order
    assert (ended.state, removal.kind, removal.author) == (EntryState.REVOKED, Kind.DELETE, "")


@pytest.mark.parametrize("granted", [True, False])
async def test_the_worker_asks_for_the_rights_right_before_it_sends(make_house: Any, stage: Any, granted: bool) -> None:
    house = make_house(make_house.new_ledger())
    if granted:
        ready = entry(stage, EntryState.GRANTED, None, (UseKind.POST,))
    else:
        ready = entry(stage, EntryState.REVOKED, None, (UseKind.POST,))
    ready = replace(ready, standing=replace(ready.standing, uses=(Use(UseKind.POST, NOW, "key", "a-o-first"),)))
    await house.entries.insert(ready)
    async with house.running():
        await house.decide("o-first", kind=Kind.FEATURE)
        await house.decide("nobodys", kind=Kind.FEATURE)
        await house.until(lambda: house.state("o-first")[0] in {State.POSTED, State.SUPPRESSED})
        await house.until(lambda: house.state("nobodys")[0] is State.SUPPRESSED)
    assert [one.sha256 for _, one in house.platform.shown] == (["c" * 64] if granted else [])
    assert house.state("nobodys") == (State.SUPPRESSED, "no_rights")
    assert house.state("o-first") == ((State.POSTED, "unspecified") if granted else (State.SUPPRESSED, "no_rights"))

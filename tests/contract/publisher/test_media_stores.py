"""One body of promises, held by every store of media; and what a store on the network adds to them."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.store import S3Store
from pydantic import SecretStr

from antiphon.errors import Invalid, Transient
from antiphon_local.objects import BUCKET, REGION, ObjectStore
from antiphon_local.ports import free_ports
from publisher.adapters.media import DirectoryMedia
from publisher.adapters.memory_entries import MemoryMedia
from publisher.adapters.s3_media import S3Media, build_s3_media
from publisher.domain.entries.campaign import By, UseKind
from publisher.domain.entries.machine import captured
from publisher.domain.entries.model import Asked, Capture, EntryState, Medium
from publisher.domain.entries.rights import Cleared, NotCleared, clear
from publisher.entry_ports import File, MediaStore
from publisher.service.entries.fetching import PROBE, probe
from publisher.settings import MediaSettings

NOW = 1_800_000_000.0
LARGEST = MediaSettings.model_fields["publisher_media_max_bytes"].default
PREFIX = "antiphon/media"


def file(content: bytes, mime: str = "image/png") -> File:
    return File(hashlib.sha256(content).hexdigest(), mime, content)


def cleared(kept: File) -> Cleared:
    capture = Capture(
        entry_id="e", event_id="e", brand="b", campaign="c", campaign_version=1, platform="facebook", account="p", channel="main",
        object="o", parent="", root="post", author="u", handle="u", event_kind="comment", language="en", text="", media=(),
        hashtags=(), friends=(), trigger="hashtag", eligible=True, reason="", detail="", event_time=NOW, received_time=NOW,
    )  # fmt: skip
    entry = captured(capture, NOW)
    asked = Asked(1, By.REPLY, "request", NOW, 1, "terms", tuple(UseKind), 100.0, 0.0, 0.0)
    media = (Medium("u", kept.sha256, kept.mime, len(kept.content)),)
    standing = replace(entry.standing, state=EntryState.GRANTED, asked=asked, media=media)
    found = clear(replace(entry, standing=standing), UseKind.GALLERY, NOW)
    assert not isinstance(found, NotCleared)
    return found[0]


PICTURE, FILM = file(b"a picture"), file(b"a film", "video/mp4")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client reads these as any of its kind does."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "REGION", "ENDPOINT_URL"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)


def settings(store: ObjectStore, **more: Any) -> MediaSettings:
    given: dict[str, Any] = {
        "bucket": BUCKET, "endpoint": store.address, "region": REGION, "prefix": PREFIX, "access_key": store.access_key,
        "secret_key": store.secret_key, **more,
    }  # fmt: skip
    return MediaSettings(**{f"publisher_media_s3_{name}": value for name, value in given.items()})


def bucket(store: ObjectStore, name: str = BUCKET) -> S3Store:
    """The bucket as somebody sees it who looks into it."""
    keys: Any = {"access_key_id": store.access_key, "secret_access_key": store.secret_key, "region": REGION}
    return S3Store(name, endpoint=store.address, client_options={"allow_http": True}, **keys)


@pytest.fixture(params=["memory", "directory", pytest.param("s3", marks=pytest.mark.local)])
def media(request: pytest.FixtureRequest, tmp_path: Path, unique_name: Callable[[str], str]) -> MediaStore:
    if request.param == "memory":
        return MemoryMedia()
    if request.param == "directory":
        return DirectoryMedia(tmp_path / "media")
    return build_s3_media(settings(request.getfixturevalue("object_store"), prefix=unique_name("media")))


async def test_what_is_put_comes_back_whole_and_twice_is_once(media: MediaStore) -> None:
    assert await media.read(cleared(PICTURE)) is None
    for _ in range(2):
        await media.put(PICTURE)
    assert await media.read(cleared(PICTURE)) == PICTURE.content
    assert await media.read(cleared(FILM)) is None


async def test_the_largest_file_that_is_fetched_fits(media: MediaStore) -> None:
    largest = file(bytes(range(256)) * (LARGEST // 256))
    await media.put(largest)
    assert await media.read(cleared(largest)) == largest.content


async def test_what_is_removed_is_gone_and_nothing_else_is(media: MediaStore) -> None:
    for one in (PICTURE, FILM):
        await media.put(one)
    for _ in range(2):
        await media.remove(PICTURE.sha256)
    assert await media.read(cleared(PICTURE)) is None
    assert await media.read(cleared(FILM)) == FILM.content
    await media.put(PICTURE)
    assert await media.read(cleared(PICTURE)) == PICTURE.content


async def test_many_put_the_same_file_at_the_same_time(media: MediaStore) -> None:
    await asyncio.gather(*(media.put(PICTURE) for _ in range(8)))
    assert await media.read(cleared(PICTURE)) == PICTURE.content


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "a" * 63, f"{'a' * 64}\n"])
async def test_only_hashes_are_names(tmp_path: Path, name: str) -> None:
    stores = DirectoryMedia(tmp_path), S3Media(S3Store(BUCKET, endpoint="https://127.0.0.1:1"))
    for store in stores:
        with pytest.raises(Invalid):
            await store.put(replace(PICTURE, sha256=name))
        with pytest.raises(Invalid):
            await store.remove(name)


async def test_a_directory_holds_whole_files_alone(tmp_path: Path) -> None:
    store = DirectoryMedia(tmp_path / "media")
    await store.put(PICTURE)
    assert [path.name for path in (tmp_path / "media").rglob("*") if path.is_file()] == [PICTURE.sha256]


@pytest.mark.parametrize("kind", ["directory", "s3"])
async def test_a_store_that_is_away_is_tried_again_later(kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Strangers see that it is away and nothing of where it is; the log has the rest, and a start is not held up."""
    (tmp_path / "media").write_text("no directory")
    nowhere = f"http://127.0.0.1:{free_ports(1)[0]}"
    keys = {"publisher_media_s3_access_key": SecretStr("key"), "publisher_media_s3_secret_key": SecretStr("secret")}
    away = MediaSettings(publisher_media_s3_bucket=BUCKET, publisher_media_s3_endpoint=nowhere, **keys)  # type: ignore[arg-type]
    store: MediaStore = DirectoryMedia(tmp_path / "media") if kind == "directory" else build_s3_media(away)
    with caplog.at_level(logging.INFO):
        for call in (store.put(PICTURE), store.remove(PICTURE.sha256), store.read(cleared(PICTURE)), probe_loudly(store)):
            with pytest.raises(Transient, match=r"^the media store is away$"):
                await call
        await probe(store)
    assert (nowhere if kind == "s3" else "PUBLISHER_MEDIA_DIRECTORY") in caplog.text


async def probe_loudly(store: MediaStore) -> None:
    await store.put(PROBE)


@pytest.mark.local
async def test_objects_have_their_type_and_are_found_by_every_replica_below_one_prefix(object_store: ObjectStore) -> None:
    here, there, other = (build_s3_media(settings(object_store, **more)) for more in ({}, {}, {"prefix": "another"}))
    await here.put(FILM)
    assert await there.read(cleared(FILM)) == FILM.content
    assert await other.read(cleared(FILM)) is None
    found = await obstore.get_async(bucket(object_store), f"{PREFIX}/{FILM.sha256[:2]}/{FILM.sha256}")
    assert (found.attributes["Content-Type"], found.meta["size"]) == ("video/mp4", len(FILM.content))
    await other.remove(FILM.sha256)
    assert await there.read(cleared(FILM)) == FILM.content


@pytest.mark.local
@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"secret_key": "no-secret-of-ours"}, "PUBLISHER_MEDIA_S3_SECRET_KEY"),
        ({"access_key": "AKIANOKEYOFOURS"}, "PUBLISHER_MEDIA_S3_ACCESS_KEY"),
        ({"bucket": "missing"}, "PUBLISHER_MEDIA_S3_BUCKET"),
    ],
)
async def test_what_the_operator_must_mend_is_named(
    object_store: ObjectStore, wrong: dict[str, str], named: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A removal above all: a bucket that is not there has not forgotten anybody."""
    store = build_s3_media(settings(object_store, **wrong))
    for call in (store.put(PICTURE), store.remove(PICTURE.sha256), store.read(cleared(PICTURE))):
        caplog.clear()
        with pytest.raises(Transient, match=r"^the media store is away$"):
            await call
        assert named in caplog.text
        assert not [
            value for value in (object_store.access_key, object_store.secret_key, *wrong.values()) if value in caplog.text
        ]


@pytest.mark.local
async def test_a_bucket_that_keeps_versions_is_told_of_once(object_store: ObjectStore, caplog: pytest.LogCaptureFixture) -> None:
    object_store.create("versioned", versions=True)
    store = build_s3_media(settings(object_store, bucket="versioned"))
    for one in (PICTURE, FILM):
        await store.put(one)
    assert caplog.text.count("keeps versions") == 1


class Wire:
    """Carries bytes to the store. `cut_at`: after so many of them, on all connections together, what follows is cut off."""

    def __init__(self, port: int) -> None:
        self.port, self.cut_at, self.carried = port, LARGEST * 10, 0
        self.on_cut: Callable[[], None] = lambda: None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up, down = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.close()
            return
        answers = asyncio.ensure_future(self.answers(up, writer))
        try:
            with suppress(OSError):
                while data := await reader.read(65_536):
                    self.carried += len(data)
                    if self.carried > self.cut_at:
                        self.on_cut()
                        writer.transport.abort()
                        break
                    down.write(data)
                    await down.drain()
        finally:
            down.close()
            await answers
            writer.close()

    async def answers(self, up: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await up.read(65_536):
                writer.write(data)
                await writer.drain()


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[tuple[ObjectStore, Wire, S3Media]]:
    """A store of its own behind a wire, and a client that has no other way to it."""
    store = ObjectStore(tmp_path)
    await asyncio.to_thread(store.start)
    found = Wire(store.port)
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    yield store, found, build_s3_media(settings(store, endpoint=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    server.close()
    await asyncio.to_thread(store.stop)


def names(store: ObjectStore) -> Iterator[str]:
    for page in obstore.list(bucket(store)):
        yield from (one["path"] for one in page)


@pytest.mark.local
async def test_an_upload_that_is_cut_off_leaves_nothing_to_be_seen(wire: tuple[ObjectStore, Wire, S3Media]) -> None:
    store, cable, client = wire
    largest = file(bytes(range(256)) * (LARGEST // 256))
    cable.cut_at = LARGEST // 2
    with pytest.raises(Transient):
        await client.put(largest)
    assert list(names(store)) == []
    cable.cut_at = LARGEST * 10
    assert await client.read(cleared(largest)) is None
    await client.put(largest)
    assert await client.read(cleared(largest)) == largest.content


@pytest.mark.local
async def test_a_store_that_is_killed_in_the_middle_of_an_upload_takes_it_once_it_is_back(
    wire: tuple[ObjectStore, Wire, S3Media],
) -> None:
    store, cable, client = wire
    largest = file(bytes(range(256)) * (LARGEST // 256))
    cable.cut_at, cable.on_cut = LARGEST // 2, store.kill
    with pytest.raises(Transient):
        await client.put(largest)
    assert not store.running
    cable.cut_at = LARGEST * 10
    await asyncio.to_thread(store.start)
    await client.put(largest)
    assert await client.read(cleared(largest)) == largest.content


async def test_what_is_no_store_is_not_believed(caplog: pytest.LogCaptureFixture) -> None:
    """Any server says 404; that a file is not there is known from a store alone."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    keys: Any = {"publisher_media_s3_access_key": "key", "publisher_media_s3_secret_key": "secret"}
    store = build_s3_media(MediaSettings(publisher_media_s3_bucket=BUCKET, publisher_media_s3_endpoint=endpoint, **keys))
    for call in (store.read(cleared(PICTURE)), store.remove(PICTURE.sha256)):
        with pytest.raises(Transient):
            await call
    server.close()
    assert endpoint in caplog.text

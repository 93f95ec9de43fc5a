"""Media: fetched from wherever a platform's address leads, checked, and kept by the hash of their content."""

import asyncio
import hashlib
import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar
from uuid import uuid4

import puremagic
from typing_extensions import override

from antiphon.egress import Egress, Reply
from antiphon.errors import Invalid, Transient
from publisher.domain.entries.rights import Cleared
from publisher.entry_ports import File, MediaSource, MediaStore

log = logging.getLogger(__name__)

T = TypeVar("T")
P = ParamSpec("P")

TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4", "video/quicktime"})
"""What is kept: pictures and films that browsers show and that hold no programs. No SVG: it may carry scripts."""

_ALIASES = {"image/jpg": "image/jpeg", "video/x-m4v": "video/mp4"}
"""Other names that servers and signatures give the same types."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


def sniffed(content: bytes) -> str:
    """Return the type that a file's first bytes show; empty when they show none that is kept."""
    try:
        found = puremagic.magic_string(content)
    except (puremagic.PureError, ValueError):
        return ""
    names = (_ALIASES.get(one.mime_type, one.mime_type) for one in found if one.confidence > 0)
    return next((name for name in names if name in TYPES), "")


class EgressMedia(MediaSource):
    """Fetches over HTTPS from public addresses alone; a file is what both its server and its bytes say it is."""

    def __init__(self, egress: Egress, *, most: int, seconds: float) -> None:
        self._egress, self._most, self._seconds = egress, most, seconds

    @override
    async def fetch(self, url: str) -> File:
        reply = await self._egress.get(url, seconds=self._seconds, most=self._most)
        declared = self._declared(reply)
        if not reply.complete:
            raise _longer_or_cut(reply, self._most)
        mime = await asyncio.to_thread(sniffed, reply.body)
        if not mime:
            raise Invalid("not_media", "the file's bytes are no picture or film of a known type")
        if mime.partition("/")[0] != declared.partition("/")[0]:
            raise Invalid("type_mismatch", f"declared as {declared[:40]}, and its bytes are {mime}")
        return File(hashlib.sha256(reply.body).hexdigest(), mime, reply.body)

    def _declared(self, reply: Reply) -> str:
        """Return the declared type of a good answer. Raises Invalid or Transient for every other."""
        if reply.status == 429 or reply.status >= 500:
            raise Transient(f"the server answered {reply.status}")
        if reply.status != 200:
            raise Invalid("not_there", f"the server answered {reply.status}; redirects are not followed")
        declared = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
        if _ALIASES.get(declared, declared) not in TYPES:
            raise Invalid("not_media", f"declared as {declared[:40] or 'nothing'}")
        return declared


def _longer_or_cut(reply: Reply, most: int) -> Exception:
    length = reply.headers.get("content-length", "")
    if len(reply.body) >= most or (length.isdigit() and int(length) > most):
        return Invalid("too_large", f"the file is larger than {most} bytes")
    return Transient("the file did not come whole")


def media_name(sha256: str) -> str:
    """Return what a file is called in every store: the hash, in a folder of its first two digits. Raises Invalid."""
    if not _SHA256.fullmatch(sha256):
        raise Invalid("not_a_hash", "media are named by 64 hex digits")
    return f"{sha256[:2]}/{sha256}"


def store_away() -> Transient:
    """Return the error of a store that does not work. Strangers may read it, so that it says nothing; the log says the rest."""
    return Transient("the media store is away")


class DirectoryMedia(MediaStore):
    """Files in a directory, named by their hash; a name is there only with the whole file behind it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @override
    async def put(self, file: File) -> None:
        await _on_disk(self._write, self._directory / media_name(file.sha256), file.content)

    def _write(self, path: Path, content: bytes) -> None:
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        # No two may write the same one, and processes in two containers may have the same number.
        unfinished = path.with_name(f".{path.name}.{uuid4().hex}")
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)

    @override
    async def remove(self, sha256: str) -> None:
        await _on_disk((self._directory / media_name(sha256)).unlink, missing_ok=True)

    @override
    async def read(self, media: Cleared) -> bytes | None:
        return await _on_disk(self._read, self._directory / media_name(media.sha256))

    def _read(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None


async def _on_disk(work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    try:
        return await asyncio.to_thread(work, *arguments, **options)
    except OSError as error:
        log.warning("the directory of media cannot be used, check PUBLISHER_MEDIA_DIRECTORY: %s", error)
        raise store_away() from error

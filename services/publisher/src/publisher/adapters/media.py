"""Media: fetched from wherever a platform's address leads, checked, and kept by the hash of their content."""

import asyncio
import hashlib
import os
import re
from pathlib import Path

import puremagic
from typing_extensions import override

from antiphon.egress import Egress, Reply
from antiphon.errors import Invalid, Transient
from publisher.domain.entries.rights import Cleared
from publisher.entry_ports import File, MediaSource, MediaStore

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


class DirectoryMedia(MediaStore):
    """Files in a directory, named by their hash; a name is there only with the whole file behind it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def _path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise Invalid("not_a_hash", "media are named by 64 hex digits")
        return self._directory / sha256[:2] / sha256

    @override
    async def put(self, file: File) -> None:
        await asyncio.to_thread(self._write, self._path(file.sha256), file.content)

    def _write(self, path: Path, content: bytes) -> None:
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)

    @override
    async def remove(self, sha256: str) -> None:
        await asyncio.to_thread(self._path(sha256).unlink, missing_ok=True)

    @override
    async def read(self, media: Cleared) -> bytes | None:
        path = self._path(media.sha256)
        return await asyncio.to_thread(path.read_bytes) if path.exists() else None

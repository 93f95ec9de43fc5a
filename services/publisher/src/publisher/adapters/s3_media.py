"""Media in a bucket of an S3-compatible store, which all replicas share."""

import logging
import re
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store
from typing_extensions import override

from antiphon.errors import Transient
from publisher.adapters.media import media_name, store_away
from publisher.domain.entries.rights import Cleared
from publisher.entry_ports import File, MediaStore
from publisher.settings import MediaSettings

if TYPE_CHECKING:  # they exist for type checkers alone
    from obstore.store import ClientConfig, RetryConfig, S3Config

log = logging.getLogger(__name__)

T = TypeVar("T")

_CONNECT: Final = timedelta(seconds=3)

_RETRY: "Final[RetryConfig]" = {
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=10),
    "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=2), "base": 2},
}
"""Of one call, over a hiccup of the store. A longer absence is the caller's matter: the sweep comes again, and so do browsers."""

_KEYS: Final = "check PUBLISHER_MEDIA_S3_ACCESS_KEY and PUBLISHER_MEDIA_S3_SECRET_KEY, or the role that stands in their place"
_PLACE: Final = "check PUBLISHER_MEDIA_S3_REGION and PUBLISHER_MEDIA_S3_ENDPOINT"

_REMEDIES: Final[Mapping[str, str]] = {
    "NoSuchBucket": "create the bucket, or correct PUBLISHER_MEDIA_S3_BUCKET",
    "AccessDenied": "grant s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject below the prefix; or "
    + _KEYS,
    "InvalidAccessKeyId": _KEYS,
    "SignatureDoesNotMatch": _KEYS,
    "InvalidToken": _KEYS,
    "ExpiredToken": _KEYS,
    "RequestTimeTooSkewed": "set this machine's clock",
    "PermanentRedirect": _PLACE,
    "AuthorizationHeaderMalformed": _PLACE,
    "IllegalLocationConstraintException": _PLACE,
}
"""What stores answer when they are there and will not → what the operator can do."""

_VERSIONS: Final = (
    "the bucket of media keeps versions, so that what is erased stays in it: "
    "turn versioning off, or let a lifecycle rule end versions that are not current"
)

_CODE: Final = re.compile(r"<Code>(\w{1,60})</Code>")


class S3Media(MediaStore):
    """Objects named as a directory's files are, below a prefix.

    A put is one request, signed with the hash of its body: the store shows the whole object or none.
    """

    def __init__(self, store: S3Store) -> None:
        self._store = store
        self._warned = False

    @override
    async def put(self, file: File) -> None:
        name, attributes = media_name(file.sha256), {"Content-Type": file.mime}
        result = await _answered(obstore.put_async(self._store, name, file.content, attributes=attributes, use_multipart=False))
        if result["version"] not in {None, "null"} and not self._warned:  # "null": it keeps none any more
            self._warned = True
            log.warning("%s", _VERSIONS)

    @override
    async def remove(self, sha256: str) -> None:
        with suppress(FileNotFoundError):  # most stores do not even say so
            await _answered(obstore.delete_async(self._store, media_name(sha256)))

    @override
    async def read(self, media: Cleared) -> bytes | None:
        try:
            found = await _answered(obstore.get_async(self._store, media_name(media.sha256)))
        except FileNotFoundError:
            return None
        return bytes(await _answered(found.bytes_async()))


async def _answered(call: Awaitable[T]) -> T:
    """Return the answer. Raises FileNotFoundError when the store says that there is no such object, else Transient."""
    try:
        return await call
    except (BaseError, OSError) as error:
        if isinstance(error, FileNotFoundError) and _code(error) == "NoSuchKey":
            raise  # any other 404 may come from something that is no store, and proves nothing
        raise _away(error) from error


def _code(error: Exception) -> str:
    found = _CODE.search(str(error))
    return found[1] if found else ""


def _away(error: Exception) -> Transient:
    """Say in the log what to do. A refusal's text is left out, because it may repeat the key and what was signed."""
    if code := _code(error):
        log.error("the media store answered %s: %s", code, _REMEDIES.get(code, "it is asked again"))
    else:
        log.error("the media store does not answer, it is asked again: %s", str(error).partition("\n")[0][:400])
    return store_away()


def build_s3_media(settings: MediaSettings) -> S3Media:
    """Return the store that the settings name. Raises OSError when the file of authorities cannot be read."""
    endpoint, authorities = settings.publisher_media_s3_endpoint, settings.publisher_media_s3_ca_file
    given: S3Config = {"disable_bulk_delete": True}  # not every store knows the call for many, and there is only one to delete
    if endpoint:
        given["endpoint"] = endpoint
    if settings.publisher_media_s3_region:
        given["region"] = settings.publisher_media_s3_region
    if settings.publisher_media_s3_access_key:
        given["access_key_id"] = settings.publisher_media_s3_access_key.get_secret_value()
        given["secret_access_key"] = settings.publisher_media_s3_secret_key.get_secret_value()
    client: ClientConfig = {
        "allow_http": endpoint.startswith("http://"),
        "connect_timeout": _CONNECT,
        "timeout": timedelta(seconds=settings.publisher_media_timeout_seconds),
    }
    if authorities:
        client["root_certificate"] = Path(authorities).read_bytes()
    prefix = settings.publisher_media_s3_prefix or None
    store = S3Store(settings.publisher_media_s3_bucket, prefix=prefix, config=given, client_options=client, retry_config=_RETRY)
    return S3Media(store)

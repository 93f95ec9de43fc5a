"""Calls to addresses that strangers chose: HTTPS to public addresses alone, whatever a name resolves to.

A name is resolved once for each connection, every address it has is checked, and the connection goes to a checked
address; certificate, SNI and Host stay the name's. So neither a second answer of a name server nor one bad address
among good ones reaches the inside. Redirects are not followed, answers are cut, no call outlives its time.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import httpcore
import httpx
from pydantic import AfterValidator
from typing_extensions import override

from antiphon.errors import Invalid, Transient

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]
"""Name and port → every address of the name. Raises OSError when there is none."""

MAX_ANSWER = 65_536
"""Bytes of an answer that are read; what a receiver or a model has to say is far shorter."""

HTTPS_PORT = 443
"""Other ports are refused: behind them stand services that never meant to be spoken to from outside."""

_KEEP_ALIVE_SECONDS = 4.0
"""Idle connections live shorter than most servers keep them; each new one is resolved and checked anew."""

_CONNECT_SECONDS = 3.0
"""For each address of a name, so that one that is silent leaves time for the next."""

_NOT_PUBLIC_V4: Sequence[Network] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # behind a carrier's translation
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, with the clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays from IPv6
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)

_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
"""The only part of IPv6 given out for the public: mapped, translated, local and multicast forms all lie outside."""

_NOT_PUBLIC_V6: Sequence[Network] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "2001::/23",  # protocol assignments, with Teredo, which hides an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which hides an IPv4 address
        "3fff::/20",  # documentation
    )
)


def is_public(address: Address) -> bool:
    """Tell whether an address is one machine on the public internet."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_V4)
    if address.scope_id is not None or address not in _PUBLIC_V6:
        return False
    return not any(address in network for network in _NOT_PUBLIC_V6)


def parse_networks(text: str) -> Sequence[Network]:
    """Return the networks in a comma-separated list. Raises ValueError with the remedy."""
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def _checked(text: str) -> str:
    parse_networks(text)
    return text


Networks = Annotated[str, AfterValidator(_checked)]
"""A setting with networks that `parse_networks` reads: a wrong one is told at the start."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `body` is cut at `MAX_ANSWER` bytes, or as the caller says; `complete`: it came whole, in time."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool


class Egress:
    """Keeps connections; `aclose` ends them.

    `allowed`: networks that may be called beside the public ones, on any port; for tests and intranets.
    `tls`: the context that checks certificates; the system's authorities unless told.
    """

    def __init__(
        self, *, allowed: Iterable[Network] = (), tls: ssl.SSLContext | None = None, resolve: Resolve | None = None
    ) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or ssl.create_default_context(),
            max_connections=None,  # whoever calls bounds each receiver; one bound for all would let the slow starve the quick
            keepalive_expiry=_KEEP_ALIVE_SECONDS,
            network_backend=_Pinned(tuple(allowed), resolve or system_resolve),
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str], seconds: float) -> Reply:
        """Post once and return the answer, of whatever status.

        Raises Invalid("egress_refused") for an address that is not called, Transient when no answer came within `seconds`.
        """
        return await self._call(_request("POST", url, body, headers), seconds, MAX_ANSWER)

    async def get(self, url: str, *, seconds: float, most: int, headers: Mapping[str, str] | None = None) -> Reply:
        """Get once and return the answer, of whatever status, at most `most` bytes of it.

        An answer that says beforehand that it is longer is not read at all. Raises as `post` does.
        """
        return await self._call(_request("GET", url, None, headers or {}), seconds, most)

    async def _call(self, request: httpcore.Request, seconds: float, most: int) -> Reply:
        try:
            async with asyncio.timeout(seconds) as whole:
                return await self._exchange(request, whole, most)
        except (TimeoutError, OSError, httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            raise Transient(f"no answer: {type(error).__name__}") from error

    async def _exchange(self, request: httpcore.Request, whole: asyncio.Timeout, most: int) -> Reply:
        response = await self._pool.handle_async_request(request)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        # The status has come; whatever ails the rest of the answer does not take it back.
        if request.method == b"GET" and _announced(headers) > most:
            await response.aclose()
            return Reply(response.status, headers, b"", complete=False)
        content, complete = await _content(response, whole, most)
        return Reply(response.status, headers, content, complete)


def _announced(headers: Mapping[str, str]) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 16 else 0


async def _content(response: httpcore.Response, whole: asyncio.Timeout, most: int) -> tuple[bytes, bool]:
    content = bytearray()
    try:
        remaining = None if (end := whole.when()) is None else end - asyncio.get_running_loop().time()
        async with asyncio.timeout(None if remaining is None else max(0.0, remaining - _TO_CLOSE)):
            async for part in response.aiter_stream():
                content += part
                if len(content) > most:
                    return bytes(content[:most]), False
    except (TimeoutError, OSError, httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError):
        return bytes(content), False
    finally:
        await response.aclose()
    return bytes(content), True


_TO_CLOSE = 0.05
"""Seconds of a call kept for ending it in order after a body that came too slowly."""


def _request(method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> httpcore.Request:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise Invalid("egress_refused", "the URL cannot be read") from error
    if parsed.scheme != "https" or not parsed.host or parsed.userinfo:
        raise Invalid("egress_refused", "only https URLs with a host and without user names are called")
    return httpcore.Request(
        method,
        httpcore.URL(scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path),
        headers=[
            (b"Host", parsed.netloc),
            *([] if body is None else [(b"Content-Length", str(len(body)).encode())]),
            (b"Accept-Encoding", b"identity"),
            *((name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()),
        ],
        content=body,
        extensions={"timeout": {"connect": _CONNECT_SECONDS}},
    )


async def system_resolve(host: str, port: int) -> Sequence[Address]:
    """Return every address that the system knows for a name."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(ipaddress.ip_address(where[0]) for *_, where in found))


class _Pinned(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses alone."""

    def __init__(self, allowed: Sequence[Network], resolve: Resolve) -> None:
        self._allowed, self._resolve, self._sockets = allowed, resolve, httpcore.AnyIOBackend()

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("the name has no address") from error
        if not addresses or not all(self._may_be_called(address, port) for address in addresses):
            raise Invalid("egress_refused", "the name has an address that is not public, or the port is not 443")
        for address in addresses[:-1]:
            try:
                return await self._sockets.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._sockets.connect_tcp(str(addresses[-1]), port, timeout, local_address, socket_options)

    def _may_be_called(self, address: Address, port: int) -> bool:
        if any(address in network for network in self._allowed):
            return True
        return port == HTTPS_PORT and is_public(address)

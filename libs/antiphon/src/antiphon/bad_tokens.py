"""Wrong API keys counted by address: who goes on guessing is told to wait. A good key is never looked at here."""

import ipaddress
import logging
import math
from collections import OrderedDict

from antiphon.clock import Clock

log = logging.getLogger(__name__)

ALLOWED = 20
"""Wrong keys an address and minute: more than a mistyped deployment soon makes, far fewer than guessing takes."""

WINDOW_SECONDS = 60.0

_MOST_ADDRESSES = 10_000
"""About 2 MB; past it the oldest is forgotten, so that a flood of addresses costs no memory."""


class BadTokens:
    """Counts in this process alone: a limit on noise, not the protection of keys, whose secrets have 256 random bits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait(self, address: str) -> int:
        """Count a wrong key; return the seconds to wait, 0 while the address is within its allowance."""
        now, network = self._clock.monotonic(), _network(address)
        since, count = self._seen.get(network, (now, 0))
        if now - since >= WINDOW_SECONDS:
            self._seen.pop(network, None)
            since, count = now, 0
        count += 1
        self._seen[network] = (since, count)
        if len(self._seen) > _MOST_ADDRESSES:
            self._seen.popitem(last=False)
        if count <= ALLOWED:
            return 0
        if count == ALLOWED + 1:
            log.warning("too many wrong API keys from one address")
        return math.ceil(since + WINDOW_SECONDS - now)


def _network(address: str) -> str:
    """Return what one caller holds: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return address

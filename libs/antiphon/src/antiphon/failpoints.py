"""Named places where a fault test may end the process, as SIGKILL would.

`FAILPOINT=publisher.after_send:kill` kills at the first hit, `…:kill:3` at the third; `…:pause` stops the process
(SIGSTOP). Nothing happens unless `arm` was called with settings that allow it.
"""

import os
import signal
from dataclasses import dataclass

_SIGNALS = {"kill": signal.SIGKILL, "pause": signal.SIGSTOP}


@dataclass(slots=True)
class _Armed:
    name: str = ""
    number: signal.Signals = signal.SIGKILL
    hits_left: int = 0


_armed = _Armed()


def arm(failpoint: str, *, allowed: bool) -> None:
    """Arm one failpoint from its text; the empty text disarms. Raises ValueError for a bad text or when not allowed."""
    if not failpoint:
        _armed.name = ""
        return
    if not allowed:
        raise ValueError("FAILPOINT is set, but failpoints are not allowed here: unset it")
    name, _, rest = failpoint.partition(":")
    action, _, hit = rest.partition(":")
    if not name or action not in _SIGNALS or not (hit or "1").isdigit() or int(hit or "1") < 1:
        raise ValueError(f"FAILPOINT {failpoint!r} is not <name>:kill|pause[:<hit>]")
    _armed.name, _armed.number, _armed.hits_left = name, _SIGNALS[action], int(hit or "1")


def hit(name: str) -> None:
    """Pass a failpoint: costs one comparison unless this very one is armed."""
    if _armed.name != name:
        return
    _armed.hits_left -= 1
    if _armed.hits_left == 0:
        os.kill(os.getpid(), _armed.number)

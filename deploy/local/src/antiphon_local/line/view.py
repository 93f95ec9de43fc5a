"""What a person sees while the line runs: a live picture in a terminal, plain lines elsewhere."""

import time
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from antiphon_local.line.tally import Tally, percentiles

_PLAIN_EVERY_S = 2.0
"""Between two plain lines: a log should tell progress, not flood."""


class View:
    """Shows a tally again and again."""

    def __init__(self, tally: Tally, console: Console) -> None:
        self._tally = tally
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=False) if console.is_terminal else None
        self._begun = time.monotonic()
        self._last_plain = 0.0

    def show(self, simulator: dict[str, Any]) -> None:
        """Draw the present state; `simulator` holds the simulator's counts."""
        if self._live:
            self._live.update(self._picture(simulator), refresh=True)
        elif time.monotonic() - self._last_plain >= _PLAIN_EVERY_S:
            self._last_plain = time.monotonic()
            self._console.print(self.line(simulator), highlight=False, soft_wrap=True)

    def line(self, simulator: dict[str, Any]) -> str:
        """Return the state in one line."""
        tally, fates = self._tally, self._tally.fates()
        latency = percentiles(tally.latencies_ms[-1000:])
        return (
            f"{time.monotonic() - self._begun:6.1f} s  comments {simulator.get('comments', 0)}  events {len(tally.events)}  "
            f"decided {len(tally.decisions)}  actions {len(tally.actions)}  posted {fates['posted']}  failed {fates['failed']}  "
            f"parked {fates['parked']}  open {fates['open']}  to come {simulator.get('pending', 0)}  "
            f"p50/p95 {latency['p50']:.0f}/{latency['p95']:.0f} ms"
        )

    def _picture(self, simulator: dict[str, Any]) -> Group:
        tally = self._tally
        fates = tally.fates()
        latency = percentiles(tally.latencies_ms[-1000:])
        flow = Table.grid(padding=(0, 2))
        flow.add_row("comments", "events", "decided", "lag", "actions", "posted", "held", "failed", "person")
        flow.add_row(
            *(
                f"[bold]{number}[/]"
                for number in (
                    simulator.get("comments", 0),
                    len(tally.events),
                    len(tally.decisions),
                    tally.undecided() + simulator.get("pending", 0),
                    len(tally.actions),
                    fates["posted"],
                    fates["suppressed"] + fates["shadowed"],
                    fates["failed"],
                    fates["parked"],
                )
            )
        )
        reasons = Table.grid(padding=(0, 2))
        for name, count in tally.outcomes.most_common(10):
            reasons.add_row(f"{count:>7}", name)
        replies = Group(*(Text(f"{rule}: {text}", overflow="ellipsis", no_wrap=True) for rule, text in tally.texts))
        speed = (
            f"comment → reply, last 1000: p50 {latency['p50']:.0f} ms  p95 {latency['p95']:.0f} ms  p99 {latency['p99']:.0f} ms"
        )
        return Group(
            Panel(flow, title="the line", subtitle=speed),
            Panel(reasons, title="decisions by outcome, rules by reason"),
            Panel(replies, title="latest answers"),
        )

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

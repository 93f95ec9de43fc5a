"""The publisher's metrics."""

from collections import Counter
from collections.abc import Callable, Mapping

from typing_extensions import override

from antiphon.clock import Clock
from antiphon.telemetry import Telemetry
from publisher.domain.entries.model import EntryState
from publisher.domain.model import EMAIL, TOLD, WEBHOOK, Kind, State, Told
from publisher.entry_ports import Announcement
from publisher.ports import Meter

PLATFORMS = ("facebook", "instagram")
RESULTS = ("seen", "unseen", "failed", "unlistable", "echoed")
OTHER = "other"
"""Label of actions for platforms that this service cannot act on."""


class PublisherMeter(Meter):
    """Declares everything once; children are looked up, never made, on the way."""

    def __init__(self, telemetry: Telemetry, clock: Clock) -> None:
        self._clock = clock
        kinds, states = [kind.value for kind in Kind], sorted(state.value for state in TOLD)
        self._deliveries = telemetry.counter(
            "deliveries", "States reached by actions", platform=(*PLATFORMS, OTHER), kind=kinds, state=states
        )
        self._unknown = telemetry.counter("unknown", "Sends whose outcome never came", platform=(*PLATFORMS, OTHER))
        self._reconciled = telemetry.counter("reconciled", "Outcomes looked for on the platform", result=RESULTS)
        self._doubled = telemetry.counter("double_detected", "Targets under which more than one of our posts stands")
        self._post = telemetry.histogram("post_seconds", "From a call to its answer", platform=(*PLATFORMS, WEBHOOK, EMAIL))
        self._pipeline = telemetry.histogram("pipeline_seconds", "From the platform's time of the event to the effect")
        self._parked = telemetry.gauge("parked", "Actions whose outcome waits for a person")
        self._waiting = telemetry.gauge(
            "waiting_approval", "Actions that wait for a person's approval now", platform=(*PLATFORMS, OTHER)
        )
        self._depth = telemetry.gauge("queue_depth", "Actions in hand: queued, or being sent")
        self._outbox = telemetry.gauge("outbox_depth", "Announcements not sent yet")
        self._paused = telemetry.gauge("channel_paused", "Channels that rest for a second or longer")
        self._dead = telemetry.counter("dead_letters", "Decisions put aside", reason=("undecodable", "incomplete", "bug"))

    @override
    def delivered(self, told: Told) -> None:
        self._deliveries.labels(_platform(told.order.platform), told.order.kind, told.state).inc()
        if told.state is State.POSTED:
            self._pipeline.labels().observe(max(0.0, told.at - told.order.event_time))

    @override
    def unknown(self, platform: str) -> None:
        self._unknown.labels(_platform(platform)).inc()

    @override
    def reconciled(self, result: str) -> None:
        self._reconciled.labels(result).inc()

    @override
    def doubled(self) -> None:
        self._doubled.labels().inc()

    @override
    def called(self, platform: str, seconds: float) -> None:
        self._post.labels(platform).observe(seconds)

    @override
    def paused(self, delta: int) -> None:
        self._paused.labels().inc(delta)

    def dead_letter(self, reason: str) -> None:
        """A decision was put aside."""
        self._dead.labels(reason if reason in {"undecodable", "incomplete"} else "bug").inc()

    def follow(self, depth: Callable[[], int], outbox: Callable[[], int]) -> None:
        """Show these numbers whenever somebody asks."""
        self._depth.labels().set_function(depth)
        self._outbox.labels().set_function(outbox)

    def parked(self, count: int) -> None:
        """So many actions are parked."""
        self._parked.labels().set(count)

    def waiting(self, counts: Mapping[str, int]) -> None:
        """So many actions wait for approval, by platform."""
        shown = Counter(dict.fromkeys((*PLATFORMS, OTHER), 0))
        for name, number in counts.items():
            shown[_platform(name)] += number
        for label, number in shown.items():
            self._waiting.labels(label).set(number)


class CampaignsMeter:
    """Counts what the campaigns role does."""

    def __init__(self, telemetry: Telemetry) -> None:
        states = [state.value for state in EntryState]
        self._entries = telemetry.counter("entries", "States reached by entries to campaigns, as told", state=states)
        self._dead = telemetry.counter("dead_letters", "Records put aside", reason=("undecodable", "incomplete", "bug"))

    def told(self, announcement: Announcement) -> None:
        """A change of an entry was told."""
        self._entries.labels(announcement.line.state).inc()

    def dead_letter(self, reason: str) -> None:
        """A record was put aside."""
        self._dead.labels(reason if reason in {"undecodable", "incomplete"} else "bug").inc()


def _platform(name: str) -> str:
    return name if name in PLATFORMS else OTHER

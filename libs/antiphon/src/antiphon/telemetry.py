"""Metrics: declared, typed and explained before they are used; label values come from closed sets, never from ids."""

import re
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

M = TypeVar("M", Counter, Gauge, Histogram)

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
"""Buckets of durations in seconds: from a webhook's acknowledgement to an hour's delay."""


class Telemetry:
    """The registry of one service; every metric is `antiphon_<service>_<thing>_<unit>[_total]`."""

    def __init__(self, service: str) -> None:
        self._prefix = f"antiphon_{service}_"
        self.registry = CollectorRegistry()

    def counter(self, name: str, explanation: str, **labels: Iterable[str]) -> "Labelled[Counter]":
        """Declare a counter; `name` without prefix and without `_total`."""
        return Labelled(Counter(self._named(name), explanation, list(labels), registry=self.registry), labels)

    def gauge(self, name: str, explanation: str, **labels: Iterable[str]) -> "Labelled[Gauge]":
        """Declare a gauge."""
        return Labelled(Gauge(self._named(name), explanation, list(labels), registry=self.registry), labels)

    def histogram(
        self, name: str, explanation: str, *, buckets: Sequence[float] = SECONDS, **labels: Iterable[str]
    ) -> "Labelled[Histogram]":
        """Declare a histogram; durations in seconds unless other buckets are given."""
        metric = Histogram(self._named(name), explanation, list(labels), buckets=buckets, registry=self.registry)
        return Labelled(metric, labels)

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def _named(self, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(f"metric name {name!r} is not lower_snake_case")
        return self._prefix + name


class Labelled(Generic[M]):
    """A metric with its closed label sets; every combination exists from the start, so that rates begin at zero."""

    def __init__(self, metric: M, labels: dict[str, Iterable[str]]) -> None:
        names = list(labels)
        self._children: dict[tuple[str, ...], M] = {}
        for values in product(*(list(labels[name]) for name in names)):
            self._children[values] = metric.labels(*values) if names else metric

    def labels(self, *values: str) -> M:
        """Return the child for these label values, in the order declared. Raises KeyError outside the closed sets."""
        return self._children[values]

"""What a process shows of itself, whatever it does."""

import math

import httpx
import pytest
from aiokafka.errors import KafkaConnectionError
from prometheus_client.parser import text_string_to_metric_families

from antiphon.http import build_api
from antiphon.observing import ConsumerMeter, show_revision
from antiphon.telemetry import Telemetry


def samples(telemetry: Telemetry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(telemetry.exposition().decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def counted(telemetry: Telemetry) -> dict[tuple[str, str], float]:
    """Return (method, status) → requests, without those that never came."""
    found = samples(telemetry)
    return {
        (dict(labels)["method"], dict(labels)["status"]): value
        for (name, labels), value in found.items()
        if name == "antiphon_svc_http_requests_total" and value
    }


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry("svc")


@pytest.fixture
async def http(telemetry: Telemetry):
    async def ready() -> dict[str, bool]:
        return {}

    app = build_api("A service", telemetry=telemetry, readiness=ready)

    @app.get("/v1/things")
    async def things() -> str:
        return "things"

    @app.get("/v1/broken")
    async def broken() -> str:
        raise RuntimeError("a bug")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client


async def test_requests_are_counted_by_what_was_answered(http, telemetry) -> None:
    await http.get("/v1/things")
    await http.get("/v1/things")
    await http.delete("/v1/things")
    await http.get("/v1/broken")
    await http.request("BREW", "/v1/nothing")
    assert counted(telemetry) == {("GET", "2xx"): 2, ("DELETE", "4xx"): 1, ("GET", "5xx"): 1, ("other", "4xx"): 1}
    assert samples(telemetry)["antiphon_svc_http_seconds_count", ()] == 5


async def test_probes_and_scrapes_are_nobodys_requests(http, telemetry) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await http.get(path)).status_code == 200
    assert counted(telemetry) == {}


async def test_a_long_poll_is_counted_and_not_timed(http, telemetry) -> None:
    await http.get("/v1/things?wait=20")
    assert counted(telemetry) == {("GET", "2xx"): 1}
    assert samples(telemetry)["antiphon_svc_http_seconds_count", ()] == 0


async def test_memory_and_the_start_are_shown(http) -> None:
    text = (await http.get("/metrics")).text
    found = {s.name: s.value for family in text_string_to_metric_families(text) for s in family.samples}
    assert found["process_resident_memory_bytes"] > 1_000_000
    assert found["process_start_time_seconds"] > 1_500_000_000


def test_the_revision_is_that_of_the_moment(telemetry) -> None:
    class Feed:
        revision = -1

    feed = Feed()
    show_revision(telemetry, feed)
    assert samples(telemetry)["antiphon_svc_config_revision", ()] == -1
    feed.revision = 7
    assert samples(telemetry)["antiphon_svc_config_revision", ()] == 7


async def test_a_lag_that_nobody_can_tell_is_not_shown_as_the_last_one(telemetry) -> None:
    meter = ConsumerMeter(telemetry)

    async def known() -> float:
        return 12.0

    async def away() -> float:
        raise KafkaConnectionError

    def shown() -> float:
        return samples(telemetry)["antiphon_svc_records_lag", ()]

    assert math.isnan(shown())
    await meter.sample(known)
    assert shown() == 12
    await meter.sample(away)
    assert math.isnan(shown())


def test_assignments_are_counted(telemetry) -> None:
    meter = ConsumerMeter(telemetry)
    meter.rebalanced()
    meter.rebalanced()
    assert samples(telemetry)["antiphon_svc_rebalances_total", ()] == 2

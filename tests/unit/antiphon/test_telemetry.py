"""Label values come from closed sets, names follow the house's form."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from antiphon.telemetry import Telemetry


def samples(telemetry: Telemetry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(telemetry.exposition().decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def test_every_combination_exists_from_the_start() -> None:
    telemetry = Telemetry("svc")
    telemetry.counter("things", "Things seen.", colour=("red", "blue"), size=("s", "l"))
    found = {labels: value for (name, labels), value in samples(telemetry).items() if name == "antiphon_svc_things_total"}
    assert len(found) == 4
    assert set(found.values()) == {0.0}


def test_a_value_outside_the_closed_set_is_an_error_and_makes_no_series() -> None:
    telemetry = Telemetry("svc")
    things = telemetry.counter("things", "Things seen.", colour=("red",))
    for wrong in (("green",), (), ("red", "blue")):
        with pytest.raises(KeyError):
            things.labels(*wrong)
    things.labels("red").inc()
    found = [labels for name, labels in samples(telemetry) if name == "antiphon_svc_things_total"]
    assert found == [(("colour", "red"),)]


def test_metrics_without_labels_and_of_every_type() -> None:
    telemetry = Telemetry("svc")
    telemetry.gauge("depth", "Depth.").labels().set(3)
    telemetry.histogram("wait_seconds", "Wait.").labels().observe(0.2)
    found = samples(telemetry)
    assert found["antiphon_svc_depth", ()] == 3
    assert found["antiphon_svc_wait_seconds_bucket", (("le", "0.25"),)] == 1
    assert found["antiphon_svc_wait_seconds_bucket", (("le", "0.1"),)] == 0


@pytest.mark.parametrize("name", ["", "Things", "things-seen", "_things", "things_", "9things", "things seen", "two__scores"])
def test_names_have_one_form(name: str) -> None:
    with pytest.raises(ValueError, match="lower_snake_case"):
        Telemetry("svc").counter(name, "Things seen.")


def test_two_services_in_one_process_do_not_share() -> None:
    Telemetry("svc").counter("things", "Things seen.")
    assert samples(Telemetry("svc")) == {}

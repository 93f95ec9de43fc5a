"""Ports outside the clients' range, and the files that a broker's storage tool would write."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon_local.errors import PortTakenError, SetupError
from antiphon_local.kafka import format_storage, kafka_uuid
from antiphon_local.ports import LOOPBACK, free_ports, is_free, listens
from antiphon_local.topics import load_topics
from antiphon_local.valkey import Valkey


def test_free_ports_are_different_and_below_the_range_of_outgoing_connections() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    lowest_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert all(1024 < port < lowest_outgoing for port in ports)


def test_a_port_is_not_given_again_soon_nor_to_another_process() -> None:
    mine = [port for _ in range(30) for port in free_ports(10)]
    program = "from antiphon_local.ports import free_ports; print(*[p for _ in range(30) for p in free_ports(10)])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    theirs = [int(port) for port in done.stdout.split()]
    assert len({*mine, *theirs}) == 600


def test_more_ports_than_there_are_is_an_error() -> None:
    with pytest.raises(SetupError, match="no 20000 free ports"):
        free_ports(20_000)


def test_a_port_someone_listens_on_is_not_free() -> None:
    (port,) = free_ports(1)
    assert is_free(port)
    assert not listens(port)
    with socket.create_server((LOOPBACK, port)):
        assert not is_free(port)
        assert listens(port)


def test_a_service_refuses_a_taken_port_by_name(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"valkey: port {port} .* is taken") as caught:
            Valkey(tmp_path, port=port).start()
    assert "choose another port" in caught.value.remedy


def test_a_service_refuses_a_full_disk_before_it_starts(tmp_path: Path) -> None:
    class Greedy(Valkey):
        disk_mb = 10**12

    with pytest.raises(SetupError, match="disk full"):
        Greedy(tmp_path).start()


def test_storage_is_formatted_once_and_its_identity_is_kept(tmp_path: Path) -> None:
    format_storage(tmp_path)
    meta = (tmp_path / "meta.properties").read_text()
    assert dict(line.split("=", 1) for line in meta.splitlines()).keys() == {"version", "cluster.id", "directory.id", "node.id"}
    format_storage(tmp_path)
    assert (tmp_path / "meta.properties").read_text() == meta


def test_ids_have_kafkas_form() -> None:
    ids = {kafka_uuid() for _ in range(500)}
    assert len(ids) == 500
    assert all(len(text) == 22 and not text.startswith("-") for text in ids)


def test_the_catalog_has_every_field_a_broker_needs(tmp_path: Path) -> None:
    topics = {topic.name: topic for topic in load_topics()}
    assert topics["rules.config.v1"].cleanup == "compact"
    assert topics["rules.config.v1"].partitions == 1
    assert topics["ingest.events.v1"].partitions > 1
    broken = tmp_path / "topics.yaml"
    broken.write_text("- {name: a.b.v1, partitions: 1, cleanup: delete}\n")
    with pytest.raises(ValueError, match="retention_ms"):
        load_topics(broken)

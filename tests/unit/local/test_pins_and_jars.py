"""The broker's jars come whole or not at all, and every way of failing says what to do."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from antiphon_local.errors import SetupError
from antiphon_local.jars import disk_errors, ensure_jars
from antiphon_local.pins import Jar, kafka_pins, parse_pins
from antiphon_local.ports import LOOPBACK, free_ports
from antiphon_local.settings import LocalSettings, cache_directory

CONTENT = {"one-1.0.jar": b"first " * 2000, "two-2.1.jar": b"second"}


class _Repository(SimpleHTTPRequestHandler):
    requested: list[str]

    def do_GET(self) -> None:
        self.requested.append(self.path)
        super().do_GET()

    def log_request(self, *args: object) -> None:
        """Silent: the tests look at `requested`."""

    def log_error(self, *args: object) -> None:
        """Silent too: what is missing is missing on purpose."""


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[tuple[str, Path, list[str]]]:
    root = tmp_path / "repository"
    for name, content in CONTENT.items():
        artifact, version = name.removesuffix(".jar").split("-")
        path = root / "org" / "example" / artifact / version / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    requested: list[str] = []
    handler = type("Handler", (_Repository,), {"requested": requested})
    with ThreadingHTTPServer((LOOPBACK, 0), partial(handler, directory=str(root))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{LOOPBACK}:{server.server_port}", root, requested
        server.shutdown()
        thread.join()


def pins() -> list[Jar]:
    jars = []
    for name, content in CONTENT.items():
        artifact, version = name.removesuffix(".jar").split("-")
        jars.append(Jar("org.example", artifact, version, hashlib.sha256(content).hexdigest(), len(content)))
    return jars


def test_the_pin_file_names_the_whole_class_path_of_one_broker_version() -> None:
    jars = kafka_pins()
    assert len(jars) == 46
    assert {jar.version for jar in jars if jar.group == "org.apache.kafka"} == {"4.3.1"}
    assert sum(jar.size for jar in jars) < 60_000_000


@pytest.mark.parametrize(
    "line", ["org.a:b:1", "org.a:b:1 " + "0" * 63 + " 5", "b:1 " + "0" * 64 + " 5", "org.a:b:1 " + "0" * 64 + " 0"]
)
def test_a_pin_of_another_form_is_refused_with_its_line(line: str) -> None:
    good = "org.a:c:1 " + "0" * 64 + " 5"
    with pytest.raises(ValueError, match="line 2"):
        parse_pins(f"{good}\n{line}\n")


def test_the_same_file_pinned_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        parse_pins(("org.a:c:1 " + "0" * 64 + " 5\n") * 2)


def test_jars_are_downloaded_once_and_then_need_no_network(tmp_path: Path, repository: tuple[str, Path, list[str]]) -> None:
    url, _, requested = repository
    said: list[str] = []
    cache = ensure_jars(tmp_path / "cache", pins=pins(), repository=url, say=said.append)
    assert {path.name: path.read_bytes() for path in cache.directory.iterdir()} == CONTENT
    assert said == [f"downloading 2 Kafka jars (0 MB) into {cache.directory}"]
    assert cache.class_path.split(":") == [str(cache.directory / name) for name in CONTENT]
    requested.clear()
    assert ensure_jars(tmp_path / "cache", pins=pins(), repository=url) == cache
    assert requested == []
    assert list((tmp_path / "cache" / "kafka").glob("partial-*")) == []


def test_a_damaged_jar_in_the_cache_is_replaced_and_the_others_are_kept(
    tmp_path: Path, repository: tuple[str, Path, list[str]]
) -> None:
    url, _, requested = repository
    cache = ensure_jars(tmp_path, pins=pins(), repository=url)
    damaged = cache.directory / "one-1.0.jar"
    damaged.write_bytes(b"\0" * len(CONTENT["one-1.0.jar"]))
    requested.clear()
    ensure_jars(tmp_path, pins=pins(), repository=url)
    assert damaged.read_bytes() == CONTENT["one-1.0.jar"]
    assert {path for path in requested if path.endswith(".jar")} == {"/org/example/one/1.0/one-1.0.jar"}


def test_a_wrong_checksum_is_refused_and_never_reaches_the_cache(tmp_path: Path, repository: tuple[str, Path, list[str]]) -> None:
    url, root, _ = repository
    (root / "org/example/two/2.1/two-2.1.jar").write_bytes(b"forged")
    with pytest.raises(SetupError, match=r"checksum wrong: two-2\.1\.jar") as caught:
        ensure_jars(tmp_path / "cache", pins=pins(), repository=url)
    assert "ANTIPHON_MAVEN_REPOSITORY" in caught.value.remedy
    assert not (tmp_path / "cache" / "kafka" / "lib" / "two-2.1.jar").exists()


def test_an_unreachable_repository_is_named_with_the_remedy(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with pytest.raises(SetupError, match="download failed") as caught:
        ensure_jars(tmp_path, pins=pins(), repository=f"http://{LOOPBACK}:{port}")
    assert "network" in caught.value.remedy


def test_a_jar_the_repository_does_not_have_is_a_failed_download(tmp_path: Path, repository: tuple[str, Path, list[str]]) -> None:
    missing = Jar("org.example", "three", "1", "0" * 64, 1)
    with pytest.raises(SetupError, match=r"download failed: three-1\.jar"):
        ensure_jars(tmp_path / "cache", pins=[missing], repository=repository[0])


def test_a_full_disk_is_named_with_the_remedy() -> None:
    """/dev/full says ENOSPC to every write, as a full disk does."""
    with (
        pytest.raises(SetupError, match="disk full") as caught,
        disk_errors(Path("/dev")),
        Path("/dev/full").open("wb", buffering=0) as file,
    ):
        file.write(b"x")
    assert "ANTIPHON_CACHE_DIR" in caught.value.remedy


def test_set_ups_at_the_same_time_download_each_jar_once(tmp_path: Path, repository: tuple[str, Path, list[str]]) -> None:
    url, _, requested = repository
    with ThreadPoolExecutor(4) as pool:
        caches = list(pool.map(lambda _: ensure_jars(tmp_path / "cache", pins=pins(), repository=url), range(4)))
    assert {cache.directory for cache in caches} == {tmp_path / "cache" / "kafka" / "lib"}
    assert sorted(path for path in requested if path.endswith(".jar")) == [
        "/org/example/one/1.0/one-1.0.jar",
        "/org/example/two/2.1/two-2.1.jar",
    ]


def test_the_cache_is_shared_by_clones_and_its_place_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTIPHON_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_directory() == tmp_path / "antiphon"
    monkeypatch.setenv("ANTIPHON_CACHE_DIR", str(tmp_path / "own"))
    assert cache_directory() == tmp_path / "own"
    assert cache_directory(LocalSettings(cache_dir=tmp_path / "given")) == tmp_path / "given"

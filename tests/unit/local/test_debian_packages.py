"""Programs out of Debian's packages: unpacked into the cache, whole or not at all."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from antiphon_local.debian import ensure_packages
from antiphon_local.errors import SetupError
from antiphon_local.prometheus import configuration

PROGRAM = "usr/bin/tool"

CONTROL = "Package: tool\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: a tool\n"

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not here; it is part of Debian")


class Mirror:
    """Stands where apt-get stands: brings a package that is really built, and tells how often it was asked."""

    def __init__(self, directory: Path) -> None:
        self._asked = directory / "asked"
        self.package = directory / "tool_1_all.deb"
        self.apt = directory / "apt"
        self.apt.write_text(
            f'#!/bin/sh\necho >> {self._asked}\ncp {self.package} . && exit\necho "E: no such package" >&2\nexit 100\n'
        )
        self.apt.chmod(0o755)
        self._build(directory / "tree")

    @property
    def asked(self) -> int:
        return len(self._asked.read_text().splitlines()) if self._asked.exists() else 0

    def _build(self, tree: Path) -> None:
        for path, text in (
            (
                "DEBIAN/control",
                "Package: tool\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: a tool\n",
            ),
            (PROGRAM, "#!/bin/sh\necho works\n"),
            ("usr/share/tool/much/of.it", "never read"),
        ):
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
        subprocess.run(["dpkg-deb", "--build", str(tree), str(self.package)], check=True, capture_output=True)

    def ensure(self, cache: Path, *, programs: Sequence[str] = (PROGRAM,)) -> Path:
        return ensure_packages("tool", ["tool"], programs, superfluous=["usr/share/tool/*/"], cache=cache, apt=str(self.apt))


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    (tmp_path / "mirror").mkdir()
    return Mirror(tmp_path / "mirror")


@needs_dpkg
def test_a_package_is_fetched_once_and_only_what_is_needed_is_kept(tmp_path: Path, mirror: Mirror) -> None:
    root = mirror.ensure(tmp_path / "cache")
    assert mirror.ensure(tmp_path / "cache") == root
    assert (root / PROGRAM).read_text() == "#!/bin/sh\necho works\n"
    assert not (root / "usr/share/tool/much").exists()
    assert mirror.asked == 1


@needs_dpkg
def test_a_damaged_program_is_fetched_again(tmp_path: Path, mirror: Mirror) -> None:
    root = mirror.ensure(tmp_path / "cache")
    (root / PROGRAM).write_bytes(b"\0" * 10)
    assert (mirror.ensure(tmp_path / "cache") / PROGRAM).read_text().endswith("works\n")
    assert mirror.asked == 2


@needs_dpkg
def test_a_package_that_cannot_be_had_is_named_with_the_remedy_and_leaves_nothing(tmp_path: Path, mirror: Mirror) -> None:
    mirror.package.unlink()
    with pytest.raises(SetupError, match="no such package") as caught:
        mirror.ensure(tmp_path / "cache")
    assert "apt-get update" in caught.value.remedy
    assert not (tmp_path / "cache/tool/root").exists()


@needs_dpkg
def test_a_package_without_the_program_is_refused(tmp_path: Path, mirror: Mirror) -> None:
    with pytest.raises(SetupError, match="do not hold other"):
        mirror.ensure(tmp_path / "cache", programs=["usr/bin/other"])
    assert not (tmp_path / "cache/tool/root").exists()


def test_without_apt_the_remedy_is_to_install_the_program(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="has no ") as caught:
        ensure_packages("tool", ["tool"], [PROGRAM], cache=tmp_path, apt=str(tmp_path / "absent"))
    assert "install the program" in caught.value.remedy


def test_every_process_is_a_job_of_its_own() -> None:
    found = yaml.safe_load(configuration({"engine": "127.0.0.1:1", "metrics": "127.0.0.1:2"}, 2.5))
    assert found["global"]["scrape_interval"] == "2500ms"
    assert {job["job_name"]: job["static_configs"][0]["targets"] for job in found["scrape_configs"]} == {
        "engine": ["127.0.0.1:1"],
        "metrics": ["127.0.0.1:2"],
    }
    assert all(job["static_configs"][0]["labels"] == {"namespace": "local"} for job in found["scrape_configs"])

"""Prometheus beside the line: it scrapes every process, shows graphs in the browser, and answers queries."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import yaml
from typing_extensions import override

from antiphon_local.debian import ensure_packages
from antiphon_local.native import NativeService
from antiphon_local.ports import LOOPBACK
from antiphon_local.procs import http_ready

PACKAGES: Final = (
    *("prometheus", "fonts-glyphicons-halflings", "libjs-bootstrap4", "libjs-d3", "libjs-eonasdan-bootstrap-datetimepicker"),
    *("libjs-jquery", "libjs-jquery-hotkeys", "libjs-moment", "libjs-moment-timezone", "libjs-mustache", "libjs-popper.js"),
    "libjs-rickshaw",
)
"""Prometheus, and what its pages are made of, which Debian packs apart."""

_PROGRAMS: Final = ("usr/bin/prometheus", "usr/bin/promtool")

_SUPERFLUOUS: Final = ("usr/share/javascript/moment-timezone/*/",)
"""200 MB of sources of a file that is there as well."""

NAMESPACE: Final = "local"
"""The label by which dashboards tell installations apart that share a Prometheus."""

SCRAPE_S: Final = 5.0
"""Between two looks at a process: a person who watches sees what happens, and it costs each process a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Where things are; `pages` None: where the program itself looks for them."""

    prometheus: str
    promtool: str
    pages: Path | None = None


def find_programs(cache: Path | None = None, *, say: Callable[[str], None] | None = None) -> Programs:
    """Return the installed programs, else those of the cache, downloaded when missing. Raises SetupError with the remedy."""
    installed = shutil.which("prometheus"), shutil.which("promtool")
    if installed[0] and installed[1]:
        return Programs(installed[0], installed[1])
    root = ensure_packages("prometheus", PACKAGES, _PROGRAMS, superfluous=_SUPERFLUOUS, cache=cache, say=say)
    prometheus, promtool = (str(root / program) for program in _PROGRAMS)
    return Programs(prometheus, promtool, root / "usr/share/prometheus/web")


def configuration(targets: Mapping[str, str], scrape_s: float) -> str:
    """Return Prometheus' configuration: one job for each process, `targets` name → `host:port`."""
    jobs = [
        {"job_name": job, "static_configs": [{"targets": [address], "labels": {"namespace": NAMESPACE}}]}
        for job, address in targets.items()
    ]
    interval = f"{scrape_s * 1000:.0f}ms"
    settings = {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval}
    return yaml.safe_dump({"global": settings, "scrape_configs": jobs}, sort_keys=False)


class Prometheus(NativeService):
    """One node on loopback, its data in `directory`. `targets`: process name (the label `job`) → `host:port`."""

    name: ClassVar[str] = "prometheus"
    grace_s: ClassVar[float] = 10.0
    disk_mb: ClassVar[int] = 100

    def __init__(
        self,
        directory: Path,
        targets: Mapping[str, str],
        programs: Programs,
        *,
        port: int | None = None,
        scrape_s: float = SCRAPE_S,
    ) -> None:
        super().__init__(directory, port=port)
        self._targets, self._programs, self._scrape_s = targets, programs, scrape_s

    @property
    @override
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @override
    def _prepare(self) -> None:
        self._configuration.write_text(configuration(self._targets, self._scrape_s), encoding="utf-8")

    @override
    def _argv(self) -> Sequence[str]:
        pages = self._programs.pages
        return (
            *(
                self._programs.prometheus,
                f"--config.file={self._configuration}",
                f"--storage.tsdb.path={self.directory / 'data'}",
            ),
            *(f"--web.listen-address={LOOPBACK}:{self.ports[0]}", "--storage.tsdb.retention.time=2d", "--log.level=warn"),
            *([f"--web.local-assets={pages}"] if pages else []),
        )

    @override
    def answers(self) -> bool:
        return http_ready(f"{self.address}/-/ready")

    @property
    def _configuration(self) -> Path:
        return self.directory / "prometheus.yml"

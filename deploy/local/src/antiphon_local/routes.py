"""The table of the one base URL, `deploy/routes.yaml`: which service answers which path."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from antiphon_local.settings import ROOT

ROUTES = ROOT / "deploy" / "routes.yaml"


@dataclass(frozen=True, slots=True)
class Route:
    """Paths equal to `prefix` or below it belong to `service`; a part `*` of the prefix stands for any one part of a path."""

    prefix: str
    service: str

    def covers(self, path: str) -> bool:
        """Tell whether a path is the prefix or lies below it."""
        if "*" not in self.prefix:
            return path == self.prefix or path.startswith(self.prefix + "/")
        wanted, parts = self.prefix.split("/"), path.split("/")
        same = all(part in {"*", name} for part, name in zip(wanted, parts, strict=False))
        return len(parts) >= len(wanted) and same


def load_routes(path: Path = ROUTES) -> list[Route]:
    """Return the table. Raises ValueError for an entry of another form or a prefix given twice."""
    routes = []
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        if set(entry) != {"prefix", "service"} or not entry["prefix"].startswith("/") or entry["prefix"].endswith("/"):
            raise ValueError(f"{path.name}: not a route: {entry!r}")
        routes.append(Route(entry["prefix"], entry["service"]))
    if len({route.prefix for route in routes}) < len(routes):
        raise ValueError(f"{path.name}: a prefix is given twice")
    return routes


def longest_first(routes: Iterable[Route]) -> list[Route]:
    """Return the routes in the order in which they must be tried."""
    return sorted(routes, key=lambda route: len(route.prefix), reverse=True)


def find_service(routes: Sequence[Route], path: str) -> str | None:
    """Return the service of the first route that covers `path`; give the routes longest first."""
    return next((route.service for route in routes if route.covers(path)), None)

"""`python -m ingest`: serve webhooks and their administration."""

import sys

import antiphon.loading  # noqa: F401 (before everything else)
from antiphon import process
from ingest.app import build
from ingest.settings import IngestSettings


def main() -> int:
    """Return the exit code."""
    settings = IngestSettings()
    return process.run("ingest", settings, lambda: build(settings))


if __name__ == "__main__":
    sys.exit(main())

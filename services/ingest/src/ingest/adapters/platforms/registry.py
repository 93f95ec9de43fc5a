"""The platforms that deliver by webhook."""

from collections.abc import Mapping

from ingest.adapters.platforms import facebook, instagram
from ingest.domain import Platform
from ingest.ports import PlatformAdapter


def serving() -> Mapping[str, PlatformAdapter]:
    """Return platform name → adapter."""
    return {Platform.FACEBOOK: facebook.adapter(), Platform.INSTAGRAM: instagram.adapter()}

"""Where the set-up keeps and finds things; read from the environment (`ANTIPHON_…`)."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[4]
"""The checkout: this package is only ever installed in place."""


class LocalSettings(BaseSettings):
    """`ANTIPHON_CACHE_DIR`, `ANTIPHON_MAVEN_REPOSITORY`; the XDG base directory applies when the first is unset."""

    model_config = SettingsConfigDict(env_prefix="ANTIPHON_", env_ignore_empty=True)

    cache_dir: Path | None = None
    """Shared by all clones of one user, so that the jars are downloaded once."""
    maven_repository: str | None = None
    """Base URL of a Maven repository to use instead of the public one, for networks that have a mirror."""


class _XdgSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="XDG_", env_ignore_empty=True)

    cache_home: Path | None = None


def cache_directory(settings: LocalSettings | None = None) -> Path:
    """Return the absolute directory of downloads shared by clones.

    The setting, else `$XDG_CACHE_HOME/antiphon`, else `~/.cache/antiphon`.
    """
    chosen = (settings or LocalSettings()).cache_dir
    home = _XdgSettings().cache_home or Path.home() / ".cache"
    return (chosen.expanduser() if chosen else home / "antiphon").absolute()

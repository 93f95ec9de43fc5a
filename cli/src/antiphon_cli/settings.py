"""Where the API is and who calls it: options first, then the environment, then the file that `antiphon login` writes."""

import os
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson

from antiphon_cli.errors import Failure

_LOGIN = "run `antiphon login`, or set ANTIPHON_URL and ANTIPHON_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What every call needs; an empty field is not known."""

    url: str = ""
    key: str = field(default="", repr=False)
    brand: str = ""

    def complete(self) -> "Settings":
        """Return itself. Raises Failure when the address or the key is missing."""
        if not self.url:
            raise Failure("the address of the API is not known", _LOGIN)
        if not self.key:
            raise Failure("there is no API key", _LOGIN)
        return self

    def of_brand(self) -> str:
        """Return the brand. Raises Failure when none is told."""
        if not self.brand:
            raise Failure("which brand?", "say --brand, set ANTIPHON_BRAND, or choose one with `antiphon login`")
        return self.brand


def config_path() -> Path:
    """Return the file of `antiphon login`."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "antiphon" / "config.toml"


def load(*, url: str = "", key_file: Path | None = None, brand: str = "") -> Settings:
    """Return the settings in force. Raises Failure for a file that cannot be used."""
    saved = _saved(config_path())
    key = _key_of(key_file) if key_file else os.environ.get("ANTIPHON_KEY", "").strip()
    return Settings(
        url=(url or os.environ.get("ANTIPHON_URL", "") or saved.url).rstrip("/"),
        key=key or saved.key,
        brand=brand or os.environ.get("ANTIPHON_BRAND", "") or saved.brand,
    )


def save(settings: Settings) -> Path:
    """Write the settings so that only this user can read them; return the file."""
    path = config_path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lines = [f"{name} = {orjson.dumps(getattr(settings, name)).decode()}\n" for name in ("url", "key", "brand")]
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.writelines(lines)
    fresh.replace(path)
    return path


def _saved(path: Path) -> Settings:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        raise Failure(f"{path} cannot be read: {error}", "run `antiphon login` again") from error
    texts = {name: value for name, value in found.items() if name in {"url", "key", "brand"} and isinstance(value, str)}
    return replace(Settings(), **texts)


def _key_of(path: Path) -> str:
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{path}: the key cannot be read", "give a file that holds the token and nothing else") from error
    if not key:
        raise Failure(f"{path} is empty", "give a file that holds the token and nothing else")
    return key

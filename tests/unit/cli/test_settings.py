"""Who calls which API: options, environment, file, in this order; and the file is nobody else's."""

import stat
from pathlib import Path

import pytest

from antiphon_cli.errors import Failure
from antiphon_cli.settings import Settings, config_path, load, save


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTIPHON_URL", "ANTIPHON_KEY", "ANTIPHON_BRAND", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_what_is_saved_is_read_back_and_only_the_user_can_read_it() -> None:
    path = save(Settings(url="https://antiphon.example", key='ak_"1"', brand="acme"))
    assert path == config_path()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load() == Settings(url="https://antiphon.example", key='ak_"1"', brand="acme")
    assert "ak_" not in repr(load())


def test_options_win_over_the_environment_and_that_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    save(Settings(url="https://file", key="file", brand="file"))
    monkeypatch.setenv("ANTIPHON_KEY", "environment")
    monkeypatch.setenv("ANTIPHON_BRAND", "environment")
    assert load() == Settings(url="https://file", key="environment", brand="environment")
    (tmp_path / "token").write_text("option\n")
    told = load(url="https://option/", key_file=tmp_path / "token", brand="option")
    assert told == Settings(url="https://option", key="option", brand="option")


def test_what_is_missing_is_told_with_the_remedy() -> None:
    for incomplete in (Settings(key="x"), Settings(url="https://a")):
        with pytest.raises(Failure) as failed:
            incomplete.complete()
        assert "antiphon login" in failed.value.remedy
    with pytest.raises(Failure, match="which brand"):
        Settings().of_brand()


@pytest.mark.parametrize("content", ["url = ", "\xff\xfe"])
def test_a_broken_file_is_no_traceback(content: str) -> None:
    config_path().parent.mkdir(parents=True)
    config_path().write_bytes(content.encode("latin-1"))
    with pytest.raises(Failure, match="cannot be read"):
        load()


def test_a_key_file_that_is_absent_or_empty_is_told(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="cannot be read"):
        load(key_file=tmp_path / "absent")
    (tmp_path / "empty").touch()
    with pytest.raises(Failure, match="is empty"):
        load(key_file=tmp_path / "empty")

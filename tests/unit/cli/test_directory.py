"""A folder of files and its lock."""

from pathlib import Path

import pytest

from antiphon_cli.directory import Directory, project, rule_documents
from antiphon_cli.errors import Failure


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    directory = Directory(tmp_path / "config")
    documents = {
        "brand": {"id": "acme", "name": "Acme"},
        "rules/a": {"id": "a", "then": [{"tag": ["x"]}]},
        "segments/vip": {"id": "vip", "authors": []},
        "channels/ig": {"platform": "instagram", "account": "1", "name": "Shop"},
        "channels/fb": {"platform": "facebook", "account": "2", "name": "Page"},
    }
    written = directory.write(documents)
    assert {key: document.data for key, document in directory.read().items()} == documents
    assert len(written) == 4
    assert directory.read()["channels/ig"].place("/account").startswith(str(tmp_path / "config/channels.yaml"))


def test_removing_a_channel_keeps_the_others_and_the_comment_on_top(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    path = tmp_path / "channels.yaml"
    path.write_text(
        "# Ask Ana.\nfb: {platform: facebook, account: '2', name: Page}\nig: {platform: instagram, account: '1', name: S}\n"
    )
    directory.write({"channels/fb": None})
    assert path.read_text() == "# Ask Ana.\nig: {name: S, platform: instagram, account: '1'}\n"


def test_a_rewritten_file_keeps_the_comment_on_top(tmp_path: Path) -> None:
    path = tmp_path / "rules/a.yaml"
    path.parent.mkdir()
    path.write_text("# Why: legal asked.\n# See the wiki.\nid: a  # inner\nthen: [hide]\n")
    Directory(tmp_path).write({"rules/a": {"id": "a", "then": ["like"]}})
    assert path.read_text() == "# Why: legal asked.\n# See the wiki.\nid: a\nthen: [like]\n"


def test_the_lock_is_read_as_it_was_written(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    assert directory.lock() == ("", {})
    met = {"rules/a": ("0123456789012345", "0123456789012345"), "brand": ("aaaa", "bbbb")}
    directory.write_lock("acme", met)
    assert directory.lock() == ("acme", met)
    text = (tmp_path / "antiphon.lock").read_text()
    assert text.index("brand: '") < text.index("rules/a:")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id: b\nthen: [hide]\n", "a.yaml:1: the id is 'b' and the file is named 'a'"),
        ("# nothing\nthen: [hide]\n", "the id is None"),
        ("- id: a\n", "not a mapping"),
        ("", "not a mapping"),
    ],
)
def test_a_file_that_is_no_rule_is_named(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/a.yaml").write_text(content)
    with pytest.raises(Failure) as failed:
        Directory(tmp_path).read()
    assert said in failed.value.message


def test_rules_are_found_in_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    for name in ("a", "b"):
        (tmp_path / f"rules/{name}.yaml").write_text(f"id: {name}\nthen: [hide]\n")
    assert [document.data["id"] for document in rule_documents([tmp_path])] == ["a", "b"]
    assert [document.data["id"] for document in rule_documents([tmp_path / "rules", tmp_path / "rules/a.yaml"])] == [
        "a",
        "b",
        "a",
    ]
    (tmp_path / "empty").mkdir()
    with pytest.raises(Failure, match="no rule files"):
        rule_documents([tmp_path / "empty"])


def test_a_rules_file_belongs_to_the_folder_that_it_was_pulled_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Directory(tmp_path).write({"rules/a": {"id": "a"}, "links/shop": {"id": "shop"}, "campaigns/summer": {"id": "summer"}})
    (tmp_path / "links/shop.yaml").write_text("- broken")
    for path in (tmp_path, tmp_path / "rules", tmp_path / "rules/a.yaml", tmp_path / "rules/none.yaml"):
        assert project(path).path == tmp_path.resolve()
        assert project(path).keys() == ["rules/a", "links/shop", "campaigns/summer"]
    monkeypatch.chdir(tmp_path / "rules")
    assert project(Path("a.yaml")) == project(Path()) == project(Path("../rules")) == Directory(tmp_path.resolve())


def test_a_file_outside_of_such_a_folder_lies_beside_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "price.yaml").write_text("id: price\n")
    assert project(tmp_path / "price.yaml").path == tmp_path.resolve()

"""Every rule of the cookbook is a rule, does what its examples say, and gets along with all the others."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from antiphon.clock import SystemClock
from rules.adapters.http.bodies import parse_yaml
from rules.adapters.http.rules import read_draft
from rules.adapters.matching import build_matcher
from rules.adapters.schema.document import RuleDocument, document_bytes, parse_document
from rules.adapters.understanding import understand
from rules.domain.checking.examples import Example, failures
from rules.domain.event import Understanding
from rules.domain.matching.index import Snapshot, build_snapshot
from rules.domain.model import BrandSettings
from rules.vetting import Vetting

FOLDER = Path(__file__).parents[3] / "docs/cookbook"
FILES = sorted(FOLDER.glob("*.yaml"))
BRAND = BrandSettings("cookbook", languages=("en", "de", "fr", "es", "ru", "ar"))
PAGE = (FOLDER.parent / "cookbook.md").read_text()


def _document(path: Path) -> RuleDocument:
    return parse_document(parse_yaml(path.read_bytes()))


@dataclass(frozen=True, slots=True)
class InForce:
    """A configuration without rules."""

    snapshot: Snapshot


def _understand(text: str, language: str) -> Understanding:
    return understand(text, language, languages=BRAND.languages)


def test_there_are_twenty_and_the_page_names_each() -> None:
    assert len(FILES) == 20
    assert all(f"(cookbook/{path.name})" in PAGE for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_rule_does_what_its_examples_say(path: Path) -> None:
    document = _document(path)
    assert (document.id, document.state) == (path.stem, "draft")
    assert any(example.acts for example in document.examples)
    assert parse_document(document_bytes(document)) == document
    examples = [Example(example.text, example.language, example.acts) for example in document.examples]
    failed = failures(document.to_domain("cookbook", 1), examples, BRAND, _understand, build_matcher)
    assert [(finding.pointer, finding.detail) for finding in failed] == []


async def test_all_rules_together_may_become_active() -> None:
    snapshot = build_snapshot(0, [BRAND], [], (), build_matcher)
    vetting = Vetting(
        in_force=InForce(snapshot),
        understands=lambda text, language, _: _understand(text, language),
        factory=build_matcher,
        clock=SystemClock(),
    )
    drafts = [read_draft("cookbook", {**parse_yaml(path.read_bytes()), "state": "active"}).meaning for path in FILES]
    for path, said in zip(FILES, await vetting.lint("cookbook", drafts), strict=True):
        assert [(path.stem, finding.code, finding.pointer, finding.detail) for finding in said] == []

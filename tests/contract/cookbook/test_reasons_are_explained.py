"""Every reason code of the contract is explained to marketers, and nothing else is."""

import re
from pathlib import Path

import pytest

from antiphon.v1.decision_pb2 import Outcome, Reason
from antiphon.v1.delivery_pb2 import DeliveryReason

PAGE = (Path(__file__).parents[3] / "docs/reasons.md").read_text()


@pytest.mark.parametrize(
    ("section", "enum", "prefix", "without"),
    [
        ("Why a rule did not act", Reason, "REASON_", ()),
        ("Why an action was not posted", DeliveryReason, "DELIVERY_REASON_", ()),
        ("Outcomes of a whole comment", Outcome, "OUTCOME_", ("unspecified",)),
    ],
)
def test_the_table_holds_exactly_the_codes(section: str, enum: object, prefix: str, without: tuple[str, ...]) -> None:
    body = PAGE.partition(f"## {section}\n")[2].partition("\n## ")[0]
    told = re.findall(r"^\| `(\w+)` \|", body, flags=re.MULTILINE)
    names = {name.removeprefix(prefix).lower() for name, _ in enum.items()} - set(without)  # type: ignore[attr-defined]
    assert sorted(told) == sorted(names)
    assert all(len(row.split("|")) >= 4 for row in re.findall(r"^\| `.*$", body, flags=re.MULTILINE))

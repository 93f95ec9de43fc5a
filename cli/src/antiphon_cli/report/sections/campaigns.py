"""Campaigns: entries and their rights, clicks and conversions."""

from collections.abc import Sequence

from antiphon_cli.report import charts, wording
from antiphon_cli.report.model import Fact, Figure, Section, Table
from antiphon_cli.report.sections import Json, Reports, total

_STEPS = (
    ("eligible", "Eligible"),
    ("rights_requested", "Rights asked for"),
    ("granted", "Rights granted"),
    ("featured", "Featured"),
)

_MOST_SOURCES = 10
"""Further links have hardly been clicked; the API and its CSV have them all."""


def section(reports: Reports) -> Section:
    """Return the campaigns of the period."""
    found = total(reports["campaigns"])
    if not found["campaigns"]:
        return Section("campaigns", "Campaigns", notes=["There was no entry, click or conversion in this period."])
    facts = [
        Fact("Entries", wording.number(sum(one["entries"]["total"] for one in found["campaigns"])), definition="entries"),
        Fact("Clicks", wording.number(sum(one["clicks"] for one in found["campaigns"])), definition="attribution"),
        Fact(
            "Conversions",
            wording.number(found["conversions"]),
            f"{wording.number(found['conversions_unattributed'])} credited to nothing",
            "attribution",
        ),
    ]
    largest = max(found["campaigns"], key=lambda one: one["entries"]["total"])
    figures = [_funnel(largest)] if largest["entries"]["total"] else []
    tables = [_entries(found["campaigns"]), _credits(found["campaigns"]), _sources(found["sources"])]
    return Section("campaigns", "Campaigns", facts, figures, [table for table in tables if table.rows])


def _funnel(campaign: Json) -> Figure:
    entries = campaign["entries"]
    title = f"Entries of {campaign['campaign']}, by how far they came"
    steps = [("Captured", entries["total"], None), *((name, entries[key]["count"], entries[key]) for key, name in _STEPS)]
    rows = [
        charts.Bar(name, count, wording.number(count) + (f" · {wording.share(part['share'])}" if part else ""))
        for name, count, part in steps
    ]
    table = Table(
        "Entries that ever came so far; each share is of the step before",
        ["Step", "Entries", "Share of the step before", "95 % interval, %"],
        [
            [
                name,
                wording.number(count),
                wording.share(part["share"]) if part else "",
                wording.interval(part["low"], part["high"]) if part else "",
            ]
            for name, count, part in steps
        ],
    )
    says = (
        f"{wording.number(entries['total'])} entries by {wording.number(entries['people'])} people; "
        f"the rights to {wording.number(entries['granted']['count'])} were granted."
    )
    return Figure(title, charts.bars(title, rows), says, table, "entries")


def _entries(campaigns: Sequence[Json]) -> Table:
    rows = [
        [
            one["campaign"],
            *(wording.number(one["entries"][name]) for name in ("total", "people")),
            *(wording.number(one["entries"][name]["count"]) for name in ("eligible", "granted", "featured", "revoked")),
        ]
        for one in campaigns
        if one["entries"]["total"]
    ]
    return Table("Entries by campaign", ["Campaign", "Entries", "People", "Eligible", "Granted", "Featured", "Revoked"], rows)


def _credits(campaigns: Sequence[Json]) -> Table:
    rows = [[one["campaign"], wording.number(one["clicks"]), *_credit(one)] for one in campaigns if one["clicks"]]
    return Table(
        "Clicks and conversions by campaign", ["Campaign", "Clicks", "Last touch", "Position-based", "Value, last touch"], rows
    )


def _sources(sources: Sequence[Json]) -> Table:
    rows = [
        [one["link"] + (" in an answer" if one["action_id"] else ""), wording.number(one["clicks"]), *_credit(one)]
        for one in sources[:_MOST_SOURCES]
    ]
    return Table("Tracked links with most clicks", ["Link", "Clicks", "Last touch", "Position-based", "Value, last touch"], rows)


def _credit(one: Json) -> list[str]:
    value = ", ".join(f"{wording.number(amount, 2)} {currency}" for currency, amount in one["last_touch"]["value"].items())
    return [*(wording.number(one[way]["conversions"], 1) for way in ("last_touch", "position_based")), value or wording.UNKNOWN]

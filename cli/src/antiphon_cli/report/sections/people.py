"""Who did what: COBRA levels, and the people whose statements weigh most."""

from collections.abc import Iterator, Sequence

from antiphon_cli.report import charts, wording
from antiphon_cli.report.model import Fact, Figure, Section, Table
from antiphon_cli.report.sections import Json, Reports, total

_LEVELS = ("consuming", "contributing", "creating")

_SHORT = 0xFFFFFF
"""Of a pseudonym as much as tells a handful of people apart."""


def cobra(reports: Reports) -> Section:
    """Return activities and people by level."""
    found = total(reports["cobra"])
    notes = [*_blind(found["blind"])]
    if hidden := sum(found["events_without_person"].values()):
        notes.append(
            f"{wording.number(hidden)} activities are by people whom the platform hides; they are in no number of people."
        )
    facts = [
        Fact("People seen", wording.number(found["people_total"]), definition="people"),
        *(Fact(f"Activities, {level}", wording.number(found["events"][level]["count"]), definition="cobra") for level in _LEVELS),
    ]
    if not found["people_total"]:
        return Section("cobra", "What people did (COBRA)", facts, notes=["Nobody was seen in this period.", *notes])
    return Section("cobra", "What people did (COBRA)", facts, [_funnel(found["funnel"])], [_activities(found)], notes)


def influencers(reports: Reports) -> Section:
    """Return advocates and detractors."""
    found = total(reports["influencers"])
    facts = [
        Fact("Advocates", wording.number(found["advocates_total"]), definition="influence"),
        Fact("Detractors", wording.number(found["detractors_total"]), definition="influence"),
    ]
    tables = [
        _ranking(f"{side.capitalize()} whose statements weigh most", found[side])
        for side in ("advocates", "detractors")
        if found[side]
    ]
    notes = [] if tables else ["Nobody with a positive or negative statement was seen in this period."]
    return Section("influencers", "Whose word weighs", facts, tables=tables, notes=notes)


def _funnel(funnel: Json) -> Figure:
    people, further, created = funnel["people"], funnel["contributing_or_more"], funnel["creating"]
    steps = [
        ("Seen at all", people, None),
        ("Contributed or created", further["count"], further),
        ("Created", created["count"], created),
    ]
    rows = [
        charts.Bar(
            name,
            count,
            f"{wording.number(count)} · {wording.share(part['share'])}" if part else wording.number(count),
            low=part["low"] * people if part else None,
            high=part["high"] * people if part else None,
        )
        for name, count, part in steps
    ]
    table = Table(
        "People at this level or above, with the 95 % interval of their share",
        ["Level", "People", "Share of all", "95 % interval, %"],
        [
            [name, wording.number(count), wording.share(part["share"] if part else 1.0), _interval(part)]
            for name, count, part in steps
        ],
    )
    title = "From seen to creating: people by the highest level they reached"
    says = (
        f"Of {wording.number(people)} people seen {wording.share(further['share'])} contributed or created, "
        f"{wording.share(created['share'])} created something of their own. Whiskers are 95 % intervals."
    )
    return Figure(title, charts.bars(title, rows), says, table, "cobra")


def _interval(part: Json | None) -> str:
    return wording.interval(part["low"], part["high"]) if part else ""


def _activities(found: Json) -> Table:
    rows = [
        [platform, *(wording.number(counts.get(level, 0)) for level in _LEVELS)]
        for platform, counts in found["events_by_platform"].items()
    ]
    rows.append(["all", *(wording.number(found["events"][level]["count"]) for level in _LEVELS)])
    return Table("Activities by platform and level", ["Platform", *(level.capitalize() for level in _LEVELS)], rows)


def _blind(platforms: Sequence[Json]) -> Iterator[str]:
    for one in platforms:
        if one["unreported"] is None:
            yield f"What {one['platform']} does not report is not known here."
        elif one["unreported"]:
            kinds = ", ".join(one["unreported"])
            yield (
                f"Blind share of {one['platform']}: {wording.share(one['share'])} of the kinds of activity "
                f"({kinds}) are not reported for single people, and nothing is put in their place."
            )


def _ranking(caption: str, people: Sequence[Json]) -> Table:
    rows = [
        [
            one["name"] or f"person {one['person'] & _SHORT:06x}",
            one["platform"],
            wording.number(one["score"]),
            wording.number(one["statements"]),
            wording.number(one["exposure"]) + (" (estimated)" if one["estimated"] else ""),
            wording.number(one["resonance"]),
        ]
        for one in people
    ]
    return Table(caption, ["Who", "Platform", "Weight", "Statements", "Exposure", "Resonance"], rows)

"""How the brand answered, and when automation waited for people."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from antiphon_cli.report import charts, wording
from antiphon_cli.report.charts import BLUE, GREY, ORANGE, PURPLE, Bar
from antiphon_cli.report.model import Fact, Figure, Section, Table
from antiphon_cli.report.sections import Json, Reports, total

_WHO = (("auto", "Automatic", BLUE), ("approved", "Approved by a person", PURPLE), ("human", "Written by a person", GREY))

_FOLLOWED = (
    ("positive", "Positive", BLUE),
    ("neutral", "Neutral", GREY),
    ("negative", "Negative", ORANGE),
    ("none", "Nothing", GREY),
)


def responses(reports: Reports) -> Section:
    """Return who answered how fast, and what people said next."""
    found = total(reports["responses"])
    answers, followed = found["answers"], found["follow_ups"]
    figures = []
    if any(answers[name]["count"] for name, *_ in _WHO):
        says = f"{wording.share(answers['auto']['share'])} of the answers went out without a person's hand."
        figures.append(_parts("Who answered", "Answers by who gave them", says, "automation", _WHO, answers))
    if followed["answers"]:
        share = wording.share(followed["negative"]["share"])
        says = f"Of {wording.number(followed['answers'])} answers {share} drew a negative word."
        figures.append(_parts("What people said next", "Answers by the first follow-up", says, "follow-ups", _FOLLOWED, followed))
    notes = [] if figures else ["Nothing was answered in this period."]
    return Section("responses", "Answers", _facts(found), figures, notes=notes)


def _facts(found: Json) -> list[Fact]:
    time = found["first_response_ms"]
    target = wording.duration(found["target_s"] * 1_000)
    return [
        Fact(
            "Answered",
            wording.share(found["response_rate"]["share"]),
            _of(found["answered"], found["answerable"]),
            "response-rate",
        ),
        Fact("First response, median", wording.duration(time["p50"]), definition="first-response"),
        Fact("First response, 90 of 100", wording.duration(time["p90"]), definition="first-response"),
        Fact(f"Within {target}", wording.share(found["inside_target"]["share"]), definition="inside-target"),
        Fact(
            "Deflected",
            wording.share(found["deflected"]["share"]),
            _of(found["deflected"]["count"], found["answerable"]),
            "deflected",
        ),
        Fact("Lost to limits", wording.number(found["lost_to_limits"]), definition="lost-to-limits"),
        Fact("Too late", wording.number(found["too_late"]), definition="too-late"),
        Fact("Refused by platforms", wording.number(found["failed"])),
        Fact("Engagement by reach", wording.share(found["engagement"]["rate"]), definition="engagement"),
    ]


def guard(reports: Reports) -> Section:
    """Return the holds."""
    report = reports["guard"]
    found = total(report)
    lasted = found["median_seconds"]
    facts = [
        Fact("Holds by the guard", wording.number(found["holds_by_guard"]), definition="guard"),
        Fact("Holds by people", wording.number(found["holds_by_people"])),
        Fact("Still in force", wording.number(found["active"])),
        Fact("Median length", wording.duration(None if lasted is None else lasted * 1_000), definition="guard"),
        Fact("Notices without a hold", wording.number(found["notices"])),
    ]
    if not found["holds"]:
        return Section("guard", "Crisis guard", facts, notes=["Nothing was held in this period."])
    return Section("guard", "Crisis guard", facts, tables=[_holds(found["holds"], ZoneInfo(report["timezone"]))])


def _of(part: int, whole: int) -> str:
    return f"{wording.number(part)} of {wording.number(whole)}"


def _parts(title: str, caption: str, says: str, definition: str, names: Sequence[tuple[str, str, str]], found: Json) -> Figure:
    rows = [
        Bar(name, found[key]["count"], f"{wording.number(found[key]['count'])} · {wording.share(found[key]['share'])}", colour)
        for key, name, colour in names
    ]
    table = Table(
        caption,
        ["Answer", "Number", "Share", "95 % interval, %"],
        [
            [
                name,
                wording.number(found[key]["count"]),
                wording.share(found[key]["share"]),
                wording.interval(found[key]["low"], found[key]["high"]),
            ]
            for key, name, _ in names
        ],
    )
    return Figure(title, charts.bars(title, rows), says, table, definition)


def _holds(holds: Sequence[Json], zone: ZoneInfo) -> Table:
    rows = [
        [
            _moment(one["since"], zone),
            _moment(one["until"], zone) if one["until"] else "still in force",
            one["scope"],
            f"{one['severity']} of 10" if one["severity"] else "by a person",
            "notice only" if one["notice_only"] else wording.words(one["mode"]),
            one["reason"],
        ]
        for one in holds
    ]
    return Table("Holds, the latest first", ["Since", "Until", "What", "Severity", "Mode", "Reason"], rows)


def _moment(text: str | None, zone: ZoneInfo) -> str:
    return wording.UNKNOWN if text is None else f"{datetime.fromisoformat(text).astimezone(zone):%Y-%m-%d %H:%M}"

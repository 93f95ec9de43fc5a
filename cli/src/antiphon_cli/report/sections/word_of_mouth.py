"""What was said: volume, valence and exposure over time, share of voice, reviews."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from antiphon_cli.report import charts, wording
from antiphon_cli.report.charts import BLUE, GREY, ORANGE, Bar, Series
from antiphon_cli.report.model import Fact, Figure, Section, Table
from antiphon_cli.report.sections import Json, Reports, total

_MOODS = (("positive", BLUE), ("neutral", GREY), ("negative", ORANGE))

_LEAST_POINTS = 2
"""One point is no line."""


def ewom(reports: Reports) -> Section:
    """Return volume and valence, for the whole, over time, and by platform and topic."""
    report = reports["ewom"]
    speech = total(report)["all"]
    exposure = speech["exposure"]
    facts = [
        Fact("Statements", wording.number(speech["volume"]), definition="volume"),
        Fact("Mean sentiment", wording.sentiment(speech["valence"]), definition="valence"),
        Fact("Sentiment by exposure", wording.sentiment(speech["weighted_valence"]), definition="weighted-valence"),
        Fact(
            "Exposure", wording.number(exposure["total"]), f"{wording.number(exposure['estimated'])} of it estimated", "exposure"
        ),
        Fact("Dispersion", f"{_decimal(total(report)['dispersion'])} bits", definition="dispersion"),
    ]
    points = report["series"]
    figures = [_volume(report, points), _valence(report, points)] if len(points) >= _LEAST_POINTS else []
    tables = [_by(report, "by_platform", "Platform"), _by(report, "by_topic", "Topic"), _by(report, "by_campaign", "Campaign")]
    notes = [f"{wording.number(speech['undetermined'])} statements have no sentiment and are in no share."]
    return Section("ewom", "Word of mouth", facts, figures, [table for table in tables if table.rows], notes)


def voice(reports: Reports) -> Section:
    """Return the share of voice."""
    found = total(reports["ewom"])["share_of_voice"]
    if found["share"] is None:
        return Section("voice", "Share of voice", notes=["No competitor is listed, or none was named in this period."])
    voices = [("This brand", found["brand"], found["share"])]
    voices += sorted(
        ((one["competitor"], one["mentions"], one["share"]) for one in found["competitors"]), key=lambda one: -one[1]
    )
    title = "Share of voice"
    rows = [
        Bar(name, count, f"{wording.share(share)} · {wording.number(count)}", BLUE if not place else GREY)
        for place, (name, count, share) in enumerate(voices)
    ]
    table = Table(
        "Mentions by whom they name",
        ["Who", "Mentions", "Share"],
        [[name, wording.number(count), wording.share(share)] for name, count, share in voices],
    )
    says = f"The brand has {wording.share(found['share'])} of the voices that name it or a listed competitor."
    note = "Heard on the brand's own channels and mentions alone, so that its own share is an upper bound."
    return Section("voice", "Share of voice", figures=[Figure(title, charts.bars(title, rows), says, table, "voice", note)])


def reviews(reports: Reports) -> Section:
    """Return the ratings."""
    found = total(reports["ewom"])["reviews"]
    if not found["reviews"]:
        return Section("reviews", "Reviews", notes=["There were no reviews in this period."])
    facts = [
        Fact("Mean rating", _decimal(found["mean"]), f"of {wording.number(found['rated'])} rated", "reviews"),
        Fact("Variance", _decimal(found["variance"]), definition="reviews"),
        Fact("Edited", wording.number(found["edits"])),
        Fact("Deleted", wording.number(found["deleted"])),
    ]
    ratings = sorted(((float(rating), count) for rating, count in found["distribution"].items()), reverse=True)
    if not ratings:
        return Section("reviews", "Reviews", facts, notes=["None of the reviews has a rating."])
    title = "Ratings"
    rows = [Bar(f"{rating:g}", count, wording.number(count)) for rating, count in ratings]
    table = Table(
        "Reviews by rating",
        ["Rating", "Reviews", "Share"],
        [[f"{rating:g}", wording.number(count), wording.share(count / found["rated"])] for rating, count in ratings],
    )
    says = f"{wording.number(found['rated'])} reviews have a rating; their mean is {_decimal(found['mean'])}."
    note = "Stars are no answers from 0 to 10, so that no net promoter score is made of them."
    return Section("reviews", "Reviews", facts, [Figure(title, charts.bars(title, rows), says, table, "reviews", note)])


def _volume(report: Json, points: Sequence[Json]) -> Figure:
    title = "Statements by sentiment"
    labels = _labels(report, points)
    series = [Series(mood, [point["total"]["all"][mood]["count"] for point in points], colour) for mood, colour in _MOODS]
    largest = max(range(len(points)), key=lambda place: points[place]["total"]["all"]["volume"])
    says = f"Most was said on {labels[largest]}: {wording.number(points[largest]['total']['all']['volume'])} statements."
    rows = []
    for label, point in zip(labels, points, strict=True):
        speech = point["total"]["all"]
        rows.append([label, wording.number(speech["volume"]), *(wording.share(speech[mood]["share"]) for mood, _ in _MOODS)])
    table = Table("Statements over time", ["From", "Statements", *(mood.capitalize() for mood, _ in _MOODS)], rows)
    return Figure(title, charts.stacked(title, labels, series), says, table, "volume")


def _valence(report: Json, points: Sequence[Json]) -> Figure:
    title = "Mean sentiment, from −1 to 1"
    labels = _labels(report, points)
    series = [
        Series("each alike", [point["total"]["all"]["valence"] for point in points], BLUE),
        Series("by exposure", [point["total"]["all"]["weighted_valence"] for point in points], ORANGE),
    ]
    speech = total(report)["all"]
    says = (
        f"Over the whole period {wording.sentiment(speech['valence'])} with every statement alike, "
        f"{wording.sentiment(speech['weighted_valence'])} weighted by how many may have seen it."
    )
    rows = []
    for label, point in zip(labels, points, strict=True):
        found = point["total"]["all"]
        figures = wording.sentiment(found["valence"]), wording.sentiment(found["weighted_valence"])
        exposure = found["exposure"]
        rows.append(
            [label, *figures, wording.number(exposure["total"]), wording.share(exposure["estimated_statements"]["share"])]
        )
    table = Table(
        "Sentiment and exposure over time", ["From", "Sentiment", "By exposure", "Exposure", "Reach estimated for"], rows
    )
    return Figure(title, charts.lines(title, labels, series, bottom=-1, top=1), says, table, "weighted-valence")


def _labels(report: Json, points: Sequence[Json]) -> list[str]:
    zone = ZoneInfo(report["timezone"])
    return [wording.tick(datetime.fromisoformat(point["from"]).astimezone(zone), report["granularity"]) for point in points]


def _by(report: Json, name: str, header: str) -> Table:
    rows = [
        [
            key.replace(":", ": "),
            wording.number(speech["volume"]),
            wording.share(speech["positive"]["share"]),
            wording.share(speech["negative"]["share"]),
            wording.sentiment(speech["valence"]),
            wording.number(speech["exposure"]["total"]),
        ]
        for key, speech in sorted(total(report)[name].items(), key=lambda item: -item[1]["volume"])
    ]
    headers = [header, "Statements", "Positive", "Negative", "Sentiment", "Exposure"]
    return Table(f"Statements by {header.lower()}", headers, rows)


def _decimal(value: float | None) -> str:
    return wording.number(value, 2)

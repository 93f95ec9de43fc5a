"""A report is one file that says everything by itself, whatever a brand or a stranger is called."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from typing_extensions import override

from antiphon_cli.report import charts
from antiphon_cli.report.model import Definition, Fact, Figure, Report, Section, Table
from antiphon_cli.report.page import page

HOSTILE = "<script>alert(1)</script> & \"Söhne\" 'x' $a$ <img src=x onerror=y>"


class Seen(HTMLParser):
    """What a browser would find."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self._open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, attributes in self.tags if (value := attributes.get(name)) is not None]


def chart(title: str = "Bars") -> str:
    return charts.bars(title, [charts.Bar(HOSTILE, 3, "3"), charts.Bar("other", 1, "1", charts.GREY, 0.5, 1.5)])


@pytest.fixture(scope="module")
def written() -> str:
    table = Table(HOSTILE, ["Name", HOSTILE], [[HOSTILE, "3"], ["other", "1"]])
    figures = [Figure(HOSTILE, chart(), HOSTILE, table, "volume", HOSTILE), Figure("Again", chart("Again"), "Twice.", table)]
    sections = [
        Section("first", HOSTILE, [Fact(HOSTILE, HOSTILE, HOSTILE, "volume")], figures, [table], [HOSTILE]),
        Section("second", "Nothing", notes=["Nothing happened."]),
    ]
    definitions = [Definition("volume", HOSTILE, HOSTILE, HOSTILE, HOSTILE)]
    return page(Report(brand="b", title=HOSTILE, about=[("Period", HOSTILE)], sections=sections, definitions=definitions))


def test_no_name_can_bring_an_element_with_it(written: str) -> None:
    seen = Seen(written)
    assert not {"script", "img", "iframe", "link", "object", "form", "base"} & {tag for tag, _ in seen.tags}
    assert not [name for _, attributes in seen.tags for name in attributes if name.startswith("on")]
    assert seen.words.count(HOSTILE) >= 10


def test_nothing_is_loaded_from_anywhere(written: str) -> None:
    seen = Seen(written)
    for name in ("src", "srcset", "action", "data", "poster", "background"):
        assert not seen.values(name)
    assert all(value.startswith("#") for value in seen.values("href") + seen.values("xlink:href"))
    assert not re.search(r"@import|url\((?!#)|expression\(", written)
    without_namespaces = written.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xlink", "")
    assert "http:" not in without_namespaces
    assert "https:" not in without_namespaces
    (policy,) = [a["content"] for tag, a in seen.tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_it_knows_light_and_dark_and_paper(written: str) -> None:
    assert "prefers-color-scheme: dark" in written
    assert "@media print" in written
    light, dark = written.split("prefers-color-scheme: dark", 1)
    for variable in set(re.findall(r"var\((--\w+)\)", written)):
        assert f"{variable}:" in light, variable
        assert f"{variable}:" in dark, variable


def test_charts_have_no_colour_of_their_own() -> None:
    drawn = [
        chart(),
        charts.stacked("s", ["1", "2"], [charts.Series("a", [1, None], charts.BLUE), charts.Series("b", [2, 3], charts.ORANGE)]),
        charts.lines("l", ["1", "2"], [charts.Series("a", [0.1, None], charts.PURPLE)], bottom=-1, top=1),
    ]
    for svg in drawn:
        assert not re.search(r"#[0-9a-fA-F]{3,8}\b(?!\")", re.sub(r"url\(#\w+\)", "", svg))
        assert set(re.findall(r"var\(--(\w+)\)", svg)) <= {"ink", "soft", "line", "blue", "orange", "grey", "purple"}
        assert "var(--ink)" in svg


def test_ids_are_of_one_element_and_links_lead_somewhere(written: str) -> None:
    seen = Seen(written)
    ids = seen.values("id")
    assert sorted(ids) == sorted(set(ids))
    assert {value.removeprefix("#") for value in seen.values("href")} <= set(ids)
    assert set(seen.values("aria-describedby")) <= set(ids)


def test_every_chart_is_told_in_words_and_numbers(written: str) -> None:
    seen = Seen(written)
    drawings = [attributes for tag, attributes in seen.tags if tag == "svg"]
    assert len(drawings) == 2
    assert all(one["role"] == "img" and one["aria-label"] and one["aria-describedby"] for one in drawings)
    assert [tag for tag, _ in seen.tags].count("table") >= 2
    assert all(attributes.get("scope") for tag, attributes in seen.tags if tag == "th")


def test_the_same_numbers_make_the_same_page() -> None:
    assert chart() == chart()


def test_bars_begin_at_zero_and_are_as_long_as_their_numbers() -> None:
    svg = charts.bars("b", [charts.Bar("a", 100, "100"), charts.Bar("b", 50, "50")])
    rectangles = re.findall(r'd="M ([\d.]+) [\d.]+ \nL ([\d.]+) [^"]+"[^>]*style="fill: var\(--blue\)', svg)
    (left, right), (second_left, second_right) = [(float(one), float(other)) for one, other in rectangles]
    assert left == second_left
    assert right - left == pytest.approx(2 * (second_right - second_left))


def test_a_chart_of_nothing_is_a_chart() -> None:
    assert charts.bars("b", [charts.Bar("a", 0, "0")]).startswith("<svg")
    assert charts.stacked("s", ["1"], [charts.Series("a", [None], charts.BLUE)]).startswith("<svg")
    assert charts.lines("l", ["1"], [charts.Series("a", [None], charts.BLUE)], bottom=0, top=1).startswith("<svg")


def test_names_at_the_ends_of_lines_do_not_cover_each_other() -> None:
    series = [charts.Series(name, [0.5], charts.BLUE) for name in ("one", "two", "three")]
    svg = charts.lines("l", ["1"], series, bottom=0, top=1)
    heights = sorted(float(y) for y in re.findall(r'y="([\d.]+)"[^>]*>(?:one|two|three)<', svg))
    assert all(later - earlier > 9 for earlier, later in pairwise(heights))

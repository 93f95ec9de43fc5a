"""Charts as SVG that takes its colours from the page: drawn once, right in light and dark and on paper."""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK: Final = "#111213"
SOFT: Final = "#616263"
GRID: Final = "#d1d2d3"
BLUE: Final = "#0a0b01"
ORANGE: Final = "#0a0b02"
GREY: Final = "#0a0b03"
PURPLE: Final = "#0a0b04"
"""Stand-ins that no chart has by chance: each becomes the page's own colour, which knows light and dark."""

_VARIABLES: Final = {
    INK: "var(--ink)",
    SOFT: "var(--soft)",
    GRID: "var(--line)",
    BLUE: "var(--blue)",
    ORANGE: "var(--orange)",
    GREY: "var(--grey)",
    PURPLE: "var(--purple)",
}

_WIDTH: Final = 7.2
"""Inches, of which the page makes its column's width: letters of 9 points then have the size of the text around them."""

_ROW: Final = 0.34
"""Inches of height for a horizontal bar: its label fits with air around it."""

_TALL: Final = 2.5
"""Inches of height of a chart over time: wide enough apart to see a slope, low enough to have two of them in sight."""

_FONT: Final = 9.0

_MOST_TICKS: Final = 8
"""On an axis of time: more dates would touch each other."""


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers over time; None where there is none to show."""

    name: str
    values: Sequence[float | None]
    colour: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One horizontal bar with its label, and the number as it is written behind it. `low`, `high`: the ends of an interval."""

    label: str
    value: float
    written: str
    colour: str = BLUE
    low: float | None = None
    high: float | None = None


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Return horizontal bars from zero, the first one on top."""
    left = 0.02 + 0.0106 * max((len(_short(row.label)) for row in rows), default=0)
    with _drawing(_ROW * len(rows) + 0.25, left=left, bottom=0.03) as (figure, axes):
        places = list(range(len(rows)))[::-1]
        axes.barh(places, [row.value for row in rows], height=0.62, color=[row.colour for row in rows])
        ends = [max(row.value, row.high or 0.0) for row in rows]
        longest = max(ends, default=0.0) or 1.0
        for place, row, end in zip(places, rows, ends, strict=True):
            if row.low is not None and row.high is not None:
                axes.plot([row.low, row.high], [place, place], color=INK, linewidth=1.1, solid_capstyle="butt")
                for edge in (row.low, row.high):
                    axes.plot([edge, edge], [place - 0.14, place + 0.14], color=INK, linewidth=1.1)
            axes.text(end + longest * 0.018, place, row.written, va="center", color=INK)
        axes.set_yticks(places, [_short(row.label) for row in rows])
        axes.set_xlim(0, longest * 1.22)
        axes.xaxis.set_visible(False)
        axes.spines["left"].set_visible(True)
        axes.set_ylim(-0.6, len(rows) - 0.4)
        return _svg(figure, title)


def stacked(title: str, labels: Sequence[str], series: Sequence[Series]) -> str:
    """Return bars over time from zero, the first series at the bottom."""
    with _drawing(_TALL, left=0.08, bottom=0.1, top=0.9) as (figure, axes):
        places = list(range(len(labels)))
        bottom = [0.0] * len(labels)
        for one in series:
            heights = [value or 0.0 for value in one.values]
            axes.bar(places, heights, bottom=bottom, width=0.78, color=one.colour, label=one.name)
            bottom = [below + height for below, height in zip(bottom, heights, strict=True)]
        _over_time(axes, labels)
        axes.set_xlim(-0.7, len(labels) - 0.3)
        axes.set_ylim(0, (max(bottom, default=0.0) or 1.0) * 1.08)
        handles, names = axes.get_legend_handles_labels()
        axes.legend(
            handles[::-1], names[::-1], loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(series), frameon=False,
            labelcolor=INK, handlelength=0.9, handleheight=0.9, columnspacing=1.4, borderaxespad=0.1,
        )  # fmt: skip
        return _svg(figure, title)


def lines(title: str, labels: Sequence[str], series: Sequence[Series], *, bottom: float, top: float) -> str:
    """Return lines over time, each named at its end; zero is drawn where it lies between `bottom` and `top`."""
    names = max((len(one.name) for one in series), default=0)
    with _drawing(_TALL, left=0.08, bottom=0.1, right=0.97 - 0.0145 * names) as (figure, axes):
        places = list(range(len(labels)))
        for one in series:
            values = [float("nan") if value is None else value for value in one.values]
            axes.plot(places, values, color=one.colour, linewidth=1.8, marker="o", markersize=2.6)
        if bottom < 0 < top:
            axes.axhline(0, color=SOFT, linewidth=0.9, zorder=1)
        _over_time(axes, labels)
        axes.set_ylim(bottom, top)
        axes.set_xlim(-0.5, len(labels) - 0.5)
        for one, height in zip(series, _apart([_last(one) for one in series], (top - bottom) * 0.09), strict=True):
            axes.text(len(labels) - 0.5, height, one.name, color=one.colour, va="center", fontweight="bold")
        return _svg(figure, title)


def _over_time(axes: "Axes", labels: Sequence[str]) -> None:
    step = max(1, -(-len(labels) // _MOST_TICKS))
    axes.set_xticks(range(0, len(labels), step), [labels[place] for place in range(0, len(labels), step)])
    axes.grid(axis="y", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.locator_params(axis="y", nbins=5)
    axes.spines["bottom"].set_visible(True)


def _last(series: Series) -> float:
    return next((value for value in reversed(series.values) if value is not None), 0.0)


def _apart(heights: Sequence[float], least: float) -> list[float]:
    """Return heights for names so that none covers another; each stays as near to its own as the one below lets it."""
    placed = dict.fromkeys(range(len(heights)), 0.0)
    floor = float("-inf")
    for place in sorted(placed, key=lambda place: heights[place]):
        placed[place] = floor = max(heights[place], floor + least)
    return [placed[place] for place in range(len(heights))]


def _short(label: str, most: int = 24) -> str:
    return label if len(label) <= most else label[: most - 1] + "…"


@contextmanager
def _drawing(
    height: float, *, left: float, bottom: float, right: float = 0.99, top: float = 0.97
) -> "Iterator[tuple[Figure, Axes]]":
    import matplotlib as mpl  # here: half a second that only a report is worth
    from matplotlib.figure import Figure

    settings: Any = {
        "font.size": _FONT,
        "font.family": "sans-serif",
        "svg.fonttype": "none",
        "text.parse_math": False,
        "text.color": INK,
        "axes.edgecolor": SOFT,
        "axes.linewidth": 0.8,
        "axes.spines.left": False,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.spines.bottom": False,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=(_WIDTH, height), layout=None)
        yield figure, figure.subplots(gridspec_kw={"left": left, "right": right, "top": top, "bottom": bottom})


_PROLOG = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_NAMES = re.compile(r' id="[A-Za-z0-9.]+_\d+"')
_SIZE = re.compile(r' width="[\d.]+pt" height="[\d.]+pt"')
_FAMILY = re.compile(r"font-family: [^;\"]+;? ?")
_STYLE = re.compile(r"\s*<style.*?</style>", re.DOTALL)


def _svg(figure: "Figure", title: str) -> str:
    """Return the drawing as an element for a page: no size of its own, no ids that another chart has, the page's colours."""
    import matplotlib as mpl

    written = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": title}):
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    text = _METADATA.sub("", _PROLOG.sub("", written.getvalue()))
    text = _SIZE.sub("", _NAMES.sub("", text), count=1)
    text = _FAMILY.sub("", _STYLE.sub("", text))
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    return text.strip()

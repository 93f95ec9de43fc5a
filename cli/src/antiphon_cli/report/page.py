"""A report as one HTML page that needs nothing else: no network, no script, nothing of a stranger's that is not escaped."""

from collections.abc import Iterable
from html import escape
from importlib.resources import files

from antiphon_cli.report.model import Definition, Fact, Figure, Report, Section, Table

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Whatever were to slip in: browsers load nothing and run nothing on this page."""

_CLOSING = "Made by antiphon report; every event counts once, at the time when it happened on its platform."

_MOST_ROWS = 12
"""Longer tables of charts are folded: who looks for a number opens them, who reads on is not kept."""


def page(report: Report) -> str:
    """Return the whole document."""
    style = (files(__package__) / "style.css").read_text(encoding="utf-8")
    return "".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="color-scheme" content="light dark">\n<meta name="generator" content="antiphon report">\n',
            f"<title>{escape(report.title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n",
            *_head(report),
            "<main>\n",
            *(part for section in report.sections for part in _section(section)),
            *_definitions(report.definitions),
            "</main>\n",
            f"<footer>{escape(report.title)}. {_CLOSING}</footer>\n",
            "</body>\n</html>\n",
        ]
    )


def _head(report: Report) -> Iterable[str]:
    yield f"<header>\n<h1>{escape(report.title)}</h1>\n<dl class=about>\n"
    for name, value in report.about:
        yield f"<div><dt>{escape(name)}</dt> <dd>{escape(value)}</dd></div>\n"
    yield '</dl>\n<nav aria-label="Sections"><ul>\n'
    for section in report.sections:
        yield f'<li><a href="#{escape(section.anchor)}">{escape(section.title)}</a></li>\n'
    yield '<li><a href="#definitions">Definitions</a></li>\n</ul></nav>\n</header>\n'


def _section(section: Section) -> Iterable[str]:
    yield f'<section id="{escape(section.anchor)}">\n<h2>{escape(section.title)}</h2>\n'
    if section.facts:
        yield "<dl class=facts>\n"
        yield from map(_fact, section.facts)
        yield "</dl>\n"
    for number, figure in enumerate(section.figures, 1):
        yield from _figure(f"{section.anchor}-{number}", figure)
    for table in section.tables:
        yield from _table(table)
    for note in section.notes:
        yield f"<p class=note>{escape(note)}</p>\n"
    yield "</section>\n"


def _fact(fact: Fact) -> str:
    change = f" <span class=change>{escape(fact.change)}</span>" if fact.change else ""
    name = _linked(fact.label, fact.definition)
    return f"<div><dt>{name}</dt> <dd><span class=value>{escape(fact.value)}</span>{change}</dd></div>\n"


def _figure(anchor: str, figure: Figure) -> Iterable[str]:
    yield f'<figure id="{escape(anchor)}">\n<h3>{_linked(figure.title, figure.definition)}</h3>\n'
    yield f'<p class=says id="{escape(anchor)}-says">{escape(figure.says)}</p>\n'
    label = f'<svg role="img" aria-label="{escape(figure.title)}" aria-describedby="{escape(anchor)}-says"'
    yield figure.svg.replace("<svg", f"{label}", 1) + "\n"
    if figure.note:
        yield f"<p class=note>{escape(figure.note)}</p>\n"
    yield from _folded(figure.table) if len(figure.table.rows) > _MOST_ROWS else _table(figure.table)
    yield "</figure>\n"


def _folded(table: Table) -> Iterable[str]:
    yield f"<details>\n<summary>Table: {escape(table.caption.lower())}</summary>\n"
    yield from _table(table)
    yield "</details>\n"


def _table(table: Table) -> Iterable[str]:
    columns = [_class(row[place] for row in table.rows) for place in range(len(table.headers))]
    yield f"<div class=wide><table>\n<caption>{escape(table.caption)}</caption>\n<thead><tr>"
    yield from (f'<th scope="col"{kind}>{escape(header)}</th>' for header, kind in zip(table.headers, columns, strict=True))
    yield "</tr></thead>\n<tbody>\n"
    for first, *others in table.rows:
        cells = "".join(f"<td{kind}>{escape(cell)}</td>" for cell, kind in zip(others, columns[1:], strict=True))
        yield f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>\n'
    yield "</tbody></table></div>\n"


def _class(cells: Iterable[str]) -> str:
    """Return the class of a column of words, which stand at the left; numbers stand at the right, digit under digit."""
    return " class=words" if any(cell[:1].isalpha() for cell in cells) else ""


def _definitions(definitions: Iterable[Definition]) -> Iterable[str]:
    yield '<section id="definitions">\n<h2>Definitions</h2>\n<dl class=terms>\n'
    for one in definitions:
        yield f'<dt id="def-{escape(one.anchor)}">{escape(one.term)}</dt>\n<dd>{escape(one.meaning)}</dd>\n'
        if one.formula:
            yield f"<dd class=formula>{escape(one.formula)}</dd>\n"
        if one.source:
            yield f"<dd class=source>{escape(one.source)}</dd>\n"
    yield "</dl>\n</section>\n"


def _linked(text: str, definition: str) -> str:
    return f'<a href="#def-{escape(definition)}">{escape(text)}</a>' if definition else escape(text)

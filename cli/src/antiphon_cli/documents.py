"""YAML as JSON's data model, with the line of every value; and YAML written so that git shows small differences."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from typing_extensions import override

from antiphon_cli.errors import Failure

MAX_FILE_BYTES = 1_000_000
"""The API takes no larger body; a larger file is no rule."""

_WIDTH = 120
_FLOW_CHARACTERS = 100
"""Collections of short values up to this length stand on one line, as people write them."""

_ITEM_CHARACTERS = 40
"""Sentences stand one below the other."""

_BREAKS = re.compile("[\n\r\t\x85\u2028\u2029\ufeff]")

_ORDER = (
    "id name state priority mode freshness where when schedule limits then stop test examples "
    "platforms channels kinds objects top_level_only ads only except "
    "all any none not as squeeze text language sentiment author rating cobra has thread "
    "timezone weekdays hours from until per at_most within "
    "reply private_reply hide unhide like delete tag handoff enter request_rights notify queue note delay "
    "share experiment acts platform account languages disclosures "
    "start end hashtags mentions form eligibility caps per_person per_person_day total "
    "rights terms automatic by request reminder answer_within remind_after granted_for phrases granted refused withdrawn uses "
    "contest winners alternates unique_friends exclude_flagged every_entry kind url campaign"
)
_RANK = {name: place for place, name in enumerate(_ORDER.split())}


@dataclass(frozen=True, slots=True)
class Document:
    """What a YAML file says; `lines` maps the JSON pointer of each value to its line, counted from 1."""

    path: Path
    data: Any
    lines: Mapping[str, int] = field(default_factory=dict)

    def line(self, pointer: str) -> int:
        """Return the line of what a pointer names; of the nearest value around it where the file says it in a shorter form."""
        while pointer and pointer not in self.lines:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer, 1)

    def place(self, pointer: str) -> str:
        """Return `file:line` of what a pointer names."""
        return f"{self.path}:{self.line(pointer)}"


class _Loader(yaml.SafeLoader):
    """The API's YAML: no dates, no aliases, only `true` and `false` are booleans."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    @override
    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            peek: Any = self.peek_event
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=peek().start_mark)
        return super().compose_node(parent, index)


for _tag, _pattern, _first in (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"-?(0|[1-9][0-9]*)", list("-0123456789")),
    ("float", r"-?(0|[1-9][0-9]*)\.[0-9]+", list("-0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


def parse(text: str, path: Path) -> Document:
    """Return what the text of a file says. Raises Failure with the line of the fault."""
    lines: dict[str, int] = {}
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        data = _value(loader, node, "", lines) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        raise Failure(f"{place}: not YAML: {error.problem or error}", "mend the file; look at quotes and indentation") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Failure(f"{path}: not YAML: {str(error).partition(chr(10))[0]}") from error
    finally:
        loader.dispose()
    return Document(path, data, lines)


def read(path: Path) -> Document:
    """Return what a file says. Raises Failure."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Failure(f"{path}: cannot be read: {error.strerror}") from error
    if len(raw) > MAX_FILE_BYTES:
        raise Failure(f"{path}: larger than {MAX_FILE_BYTES:,} bytes")
    try:
        return parse(raw.decode("utf-8"), path)
    except UnicodeDecodeError as error:
        raise Failure(f"{path}: not UTF-8 text", "save the file as UTF-8") from error


def _value(loader: _Loader, node: yaml.Node, pointer: str, lines: dict[str, int]) -> Any:
    lines[pointer] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return dict(_items(loader, node, pointer, lines))
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, f"{pointer}/{place}", lines) for place, item in enumerate(node.value)]
    return loader.construct_object(node)


def _items(loader: _Loader, node: yaml.MappingNode, pointer: str, lines: dict[str, int]) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if not name or name in seen:
            raise yaml.MarkedYAMLError(problem=f"{name!r} stands here twice" if name else "no name", problem_mark=key.start_mark)
        seen.add(name)
        below = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
        content = _value(loader, value, below, lines)
        lines[below] = key.start_mark.line + 1
        yield name, content


class _Dumper(yaml.SafeDumper):
    """Lists stand indented below their names."""

    @override
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def dump(data: Any) -> str:
    """Return data as YAML in one stable form: known keys in the order of the guide, others after them by name."""
    node = yaml.SafeDumper(_Nowhere(), sort_keys=False, default_flow_style=False).represent_data(_ordered(data))
    _lay_out(node)
    if isinstance(node, yaml.CollectionNode):
        node.flow_style = False
    return str(yaml.serialize(node, Dumper=_Dumper, allow_unicode=True, width=_WIDTH))


class _Nowhere:
    """A stream for a dumper that only represents."""

    def write(self, _: str) -> None:
        """Forget it."""


def _ordered(data: Any) -> Any:
    if isinstance(data, dict):
        # `default` texts come last: the languages are what people look for.
        names = sorted(data, key=lambda name: (name == "default", _RANK.get(name, len(_RANK)), name))
        return {name: _ordered(data[name]) for name in names}
    return [_ordered(item) for item in data] if isinstance(data, list) else data


def _lay_out(node: Any) -> int:
    """Choose the style of every collection below; return how long the node is on one line."""
    if isinstance(node, yaml.ScalarNode):
        if _BREAKS.search(node.value):
            node.style = '"'  # the other styles fold them, and some are lost
        return len(node.value) + 2
    if isinstance(node, yaml.SequenceNode):
        lengths = [_lay_out(item) for item in node.value]
        plain = all(isinstance(item, yaml.ScalarNode) for item in node.value) and max(lengths, default=0) <= _ITEM_CHARACTERS
    else:
        lengths = [_lay_out(key) + _lay_out(value) for key, value in node.value]
        plain = all(isinstance(value, yaml.ScalarNode) or value.flow_style for _, value in node.value)
        # `- tag: [price]` and `text: {…}` below their names read better than one more pair of braces.
        plain = plain and not (len(node.value) == 1 and isinstance(node.value[0][1], yaml.CollectionNode))
    node.flow_style = plain and sum(lengths) <= _FLOW_CHARACTERS
    return sum(lengths)

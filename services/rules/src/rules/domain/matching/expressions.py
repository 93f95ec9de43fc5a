"""Regular expressions as people write them, made right for every script.

The native engine takes only ASCII letters for words, has no lookaround, and large classes make its programs large. So
the text is prepared instead: before and after every word stand marks, and a sign stands before every character beyond
ASCII that belongs to no word. A word boundary is then a mark, and a word character beyond ASCII is one without a sign.
Expressions are compared with folded text, so letters in them are folded too, and case never matters.
"""

import re
import unicodedata

from rules.domain.matching.character_class import ASCII_LAST, MARK, SIGN, CharacterClass, folded_literal, literal
from rules.domain.matching.text import is_word

MARKS = MARK * 4
"""At a boundary. Each boundary that an expression asks for consumes a mark: four may be asked for at one place."""

MAX_REPEATS = 50
"""Of one part. Counted repetition multiplies the size of the program, and so the time that every text takes."""

_BOUNDARY = re.compile(r"\b")
_QUANTIFIER = re.compile(r"(?:[*+?]|\{(\d+)(?:,(\d*))?\})\??")
_GROUP = re.compile(r"\((?:\?P?<\w+>|\?[imsU-]*(?P<end>[:)])|(?!\?))")
_PROPERTY = re.compile(r"\\([pP])(?:\{(\^?)([A-Za-z_]{1,40})\}|([A-Z]))")
_CODE = re.compile(r"\\x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))")
_POSIX = re.compile(r"\[:(\w+):\]")

_DIGITS = r"0-9\p{Nd}"
_ANY = r"\x02?[^\x01\x02]"
_POSIX_CLASSES = {
    "alpha": CharacterClass(r"\p{L}"),
    "upper": CharacterClass(r"\p{L}"),
    "lower": CharacterClass(r"\p{L}"),
    "alnum": CharacterClass(r"\p{L}\p{N}"),
    "digit": CharacterClass(_DIGITS),
    "space": CharacterClass(space=True),
    "word": CharacterClass(words=True),
    "punct": CharacterClass(signs=True),
}
_CASED = frozenset({"Lu", "Ll", "Lt"})
_LAST_CODE = 0x10FFFF


class ExpressionError(ValueError):
    """An expression that cannot be used; the message names what is wrong and what to write instead."""


def prepared(folded: str) -> str:
    """Return folded text as translated expressions are looked for in it."""
    if not folded.isprintable():
        folded = folded.replace(MARK, " ").replace(SIGN, " ")
    if folded.isascii():
        return _BOUNDARY.sub(MARKS, folded)
    parts: list[str] = []
    before = False
    for character in folded:
        word = is_word(character)
        if word is not before:
            parts.append(MARKS)
            before = word
        if not word and character > ASCII_LAST:
            parts.append(SIGN)
        parts.append(character)
    return "".join(parts) + (MARKS if before else "")


def translate(expression: str) -> str:
    """Return the expression for `prepared` text, in the native engine's language.

    Raises ExpressionError for what it cannot have; whatever else is wrong, the engine itself finds.
    """
    return _Translation(unicodedata.normalize("NFC", expression)).text()


class _Translation:
    """One walk through an expression. Marks are skipped before every part, but not inside a run of letters: none are there."""

    __slots__ = ("_at", "_last", "_parts", "_source")

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._parts: list[str] = []
        self._last: bool | None = None

    def text(self) -> str:
        while self._at < len(self._source):
            self._step(self._source[self._at])
        return "".join(self._parts)

    def _step(self, character: str) -> None:
        quantifier = _QUANTIFIER.match(self._source, self._at)
        if character == "\\":
            self._escape(self._source[self._at + 1 : self._at + 2])
        elif character == "[":
            self._class()
        elif character == "(":
            self._group()
        elif quantifier is not None:
            self._emit(_checked(quantifier), quantifier.end() - self._at)
        elif character in ")|^$.":
            self._sign(character)
        else:
            self._at += 1
            self._literal(character)

    def _emit(self, written: str, length: int) -> None:
        """Add what stands for the next `length` characters."""
        self._parts.append(written)
        self._at += length
        self._last = None

    def _sign(self, character: str) -> None:
        if character == ".":
            self._at += 1
            self._part(_ANY)
        else:
            self._emit(r"\x01*$" if character == "$" else character, 1)

    def _part(self, written: str, word: bool | None = None) -> None:
        """Add what consumes characters, with its quantifier. `word`: they are all (or all not) of words."""
        quantifier = _QUANTIFIER.match(self._source, self._at)
        if quantifier is not None:
            self._emit(f"(?:\\x01*(?:{written})){_checked(quantifier)}", quantifier.end() - self._at)
            return
        self._parts.append(written if word is not None and word is self._last else f"\\x01*{written}")
        self._last = word

    def _literal(self, character: str) -> None:
        form = folded_literal(character)
        if form == " " and self._parts and self._parts[-1].endswith(literal(" ")) and self._last is False:
            return  # in folded text one space stands between words, however many were typed
        kinds = {is_word(part) for part in form}
        self._part(literal(form) if form else "(?:)", kinds.pop() if len(kinds) == 1 else None)

    def _group(self) -> None:
        match = _GROUP.match(self._source, self._at)
        if match is None:
            raise ExpressionError("looking ahead or behind is not possible; say what follows, or exclude it by `none`")
        self._emit("(?:)" if match["end"] == ")" else "(?:", match.end() - self._at)

    def _escape(self, name: str) -> None:
        if name == "b":
            self._boundary()
        elif name in {"A", "z"}:
            self._emit(rf"\x01*\{name}" if name == "z" else r"\A", 2)
        elif name in {"B", "C", "Q", "E"} or name.isdigit():
            raise ExpressionError(f"\\{name} is not possible; write the characters themselves, or a class such as [a-z]")
        elif name in "dDsSwW" and name:
            self._at += 2
            self._part(_shorthand(name.lower()).written(negated=name.isupper()), word=True if name == "w" else None)
        elif name in {"p", "P"}:
            members, negated = self._property()
            self._part(members.written(negated=negated))
        else:
            self._literal(self._character())

    def _boundary(self) -> None:
        if _QUANTIFIER.match(self._source, self._at + 2):
            raise ExpressionError("\\b cannot be repeated; leave the sign after it out")
        self._emit(r"\x01", 2)

    def _property(self) -> tuple[CharacterClass, bool]:
        """Return the property that is next, and whether it is negated."""
        match = _PROPERTY.match(self._source, self._at)
        if match is None:
            raise ExpressionError("a property is written \\p{Greek} or \\p{L}")
        name = match[3] or match[4]
        if name == "Any" or name[0] == "C" and len(name) <= 2:  # noqa: RUF021 (one thought)
            raise ExpressionError(f"\\p{{{name}}} is not possible; texts hold no such characters")
        self._at = match.end()
        members = CharacterClass(rf"\p{{{'L' if name in _CASED else name}}}", beyond=name[0] not in "LNM" or len(name) > 2)
        return members, (match[1] == "P") is not bool(match[2])

    def _character(self) -> str:
        """Return the one character that is next, plain or escaped."""
        if self._source[self._at] != "\\":
            self._at += 1
            return self._source[self._at - 1]
        code = _CODE.match(self._source, self._at)
        if code is not None and (value := int(code[1] or code[2], 16)) <= _LAST_CODE:
            self._at = code.end()
            return chr(value)
        name = self._source[self._at + 1 : self._at + 2]
        self._at += 2
        if name and name in "ntrfv":
            return " "
        if not name or name.isalnum():
            raise ExpressionError(f"\\{name} means nothing here; a backslash stands before signs such as . or +")
        return name

    def _class(self) -> None:
        self._at += 1
        negated = self._source.startswith("^", self._at)
        self._at += negated
        members, first = CharacterClass(), True
        while first or not self._source.startswith("]", self._at):
            if self._at >= len(self._source):
                raise ExpressionError("[ without its ]")
            self._member(members)
            first = False
        self._at += 1
        self._part(members.written(negated=negated))

    def _member(self, members: CharacterClass) -> None:
        posix = _POSIX.match(self._source, self._at)
        if posix is not None:
            if posix[1] not in _POSIX_CLASSES:
                raise ExpressionError(f"{posix[0]} is not possible; write \\w, \\d, \\s or \\p{{…}}")
            members.merge(_POSIX_CLASSES[posix[1]])
            self._at = posix.end()
        elif self._source[self._at] == "\\" and self._source[self._at + 1 : self._at + 2] in set("dDsSwWpP"):
            self._shorthand_member(members)
        else:
            self._range(members)

    def _shorthand_member(self, members: CharacterClass) -> None:
        name = self._source[self._at + 1]
        if name in "pP":
            named, negated = self._property()
            if negated:
                raise ExpressionError("a negated property stands outside of [ ]")
            members.merge(named)
            return
        if name == "D":
            raise ExpressionError("\\D stands outside of [ ]")
        members.merge(_shorthand(name))
        self._at += 2

    def _range(self, members: CharacterClass) -> None:
        first = last = self._character()
        if self._source.startswith("-", self._at) and not self._source.startswith("-]", self._at):
            self._at += 1
            if self._at >= len(self._source):
                raise ExpressionError("[ without its ]")
            last = self._character()
        if last < first:
            raise ExpressionError(f"{first}-{last} is no range; the smaller one comes first")
        members.add(first, last)


def _shorthand(name: str) -> CharacterClass:
    """Return the class of \\d, \\w, \\s, \\W or \\S."""
    if name == "d":
        return CharacterClass(_DIGITS)
    return CharacterClass(words=name in "wS", signs=name in "WS", space=name in "sW")


def _checked(quantifier: re.Match[str]) -> str:
    if any(count and int(count) > MAX_REPEATS for count in quantifier.groups()):
        raise ExpressionError(f"at most {MAX_REPEATS} repetitions can be counted; write * or + for any number")
    return quantifier[0]

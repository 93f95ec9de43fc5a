"""Characters and classes of them, as translated expressions write them."""

from dataclasses import dataclass

from rules.domain.matching.text import fold, is_word

MARK, SIGN = "\x01", "\x02"
"""Stand in prepared text at every word boundary, and before every character beyond ASCII that belongs to no word."""

ASCII_LAST = "\x7f"

_FOLDED_RANGE = 3000
"""The longest range whose letters are folded one by one; longer ones are no alphabets."""

_BEYOND = r"\x{80}-\x{10FFFF}"
_WORD_ASCII = "0-9A-Za-z_"
_SIGNS_ASCII = r"\x03-\x1F\x21-\x2F\x3A-\x40\x5B-\x5E\x60\x7B-\x7F"
_NOTHING = r"[^\x00-\x{10FFFF}]"


def folded_literal(character: str) -> str:
    """Return what stands for the character in folded text; any white space is a space there."""
    return " " if character.isspace() else fold(character)


def literal(form: str) -> str:
    """Return an expression for folded characters, one after the other."""
    written = r"\x01*".join(_signed(character) for character in form)
    return written if len(form) == 1 else f"(?:{written})"


def _signed(character: str) -> str:
    return (r"\x02" if character > ASCII_LAST and not is_word(character) else "") + _code(character)


def _code(character: str) -> str:
    return character if character.isascii() and character.isalnum() else rf"\x{{{ord(character):X}}}"


@dataclass(slots=True)
class CharacterClass:
    """Members: items in the engine's words, and all word characters, all signs (neither word nor space), the space.

    `beyond`: items hold signs that are not ASCII. `strings`: members of which folding has made several characters ("ß").
    """

    items: str = ""
    beyond: bool = False
    words: bool = False
    signs: bool = False
    space: bool = False
    strings: tuple[str, ...] = ()

    def written(self, *, negated: bool = False) -> str:
        """Return an expression for one character of prepared text that is a member, or is none."""
        inside = self.items + (_WORD_ASCII + _BEYOND if self.words else "") + (_SIGNS_ASCII if self.signs else "")
        inside += r"\x20" if self.space else ""
        if negated:
            signed = "" if self.signs else rf"\x02[^\x00-\x7F{self.items}]"
            choices = [rf"[^\x01\x02{inside}]", *([signed] if signed else [])]
        else:
            signed = _BEYOND if self.signs else self.items if self.beyond else ""
            choices = [*([f"[{inside}]"] if inside else []), *([rf"\x02[{signed}]"] if signed else []), *self.strings]
        return choices[0] if len(choices) == 1 else f"(?:{'|'.join(choices) or _NOTHING})"

    def merge(self, other: "CharacterClass") -> None:
        """Add the members of another class."""
        self.items += other.items
        self.beyond |= other.beyond
        self.words |= other.words
        self.signs |= other.signs
        self.space |= other.space

    def add(self, first: str, last: str) -> None:
        """Add a range of characters, folded."""
        if ord(last) - ord(first) > _FOLDED_RANGE:
            self.merge(CharacterClass(f"{_code(max(first, chr(3)))}-{_code(last)}", beyond=True))
            return
        folded = {folded_literal(chr(code)) for code in range(ord(first), ord(last) + 1)} - {"", MARK, SIGN}
        self.strings += tuple(literal(form) for form in sorted(folded) if len(form) > 1)
        single = sorted(form for form in folded if len(form) == 1)
        self.merge(CharacterClass(_ranges(single), beyond=any(map(_is_sign_beyond, single))))


def _is_sign_beyond(character: str) -> bool:
    return character > ASCII_LAST and not is_word(character)


def _ranges(characters: list[str]) -> str:
    """Return sorted characters as ranges."""
    written, start = [], 0
    for place, character in enumerate(characters):
        if place + 1 == len(characters) or ord(characters[place + 1]) != ord(character) + 1:
            first = characters[start]
            written.append(_code(first) if first == character else f"{_code(first)}-{_code(character)}")
            start = place + 1
    return "".join(written)

"""A bounded memory of what a function answered, for texts that come again."""

from collections.abc import Callable
from itertools import islice
from typing import TypeVar

from understanding.text import MAX_WORD

REMEMBERED = 60_000
"""How many texts one memory holds. Fewer cost time: most chunks are old acquaintances."""

T = TypeVar("T")


class Memory(dict[str, T]):
    """`memory[text]` is `learn(text)`, asked once for a text that stays remembered; longer ones than `MAX_WORD` never are.

    When it is full the older half is forgotten; all at once would make a busy moment slow. `learn` must depend on nothing but
    the text, so that an answer is the same whatever is remembered. May be read from any number of threads.
    """

    __slots__ = ("_learn", "_size")

    def __init__(self, learn: Callable[[str], T], size: int = REMEMBERED) -> None:
        super().__init__()
        self._learn = learn
        self._size = size

    def __missing__(self, text: str) -> T:
        learned = self._learn(text)
        if len(text) <= MAX_WORD:
            if len(self) >= self._size:
                self._forget()
            self[text] = learned
        return learned

    def _forget(self) -> None:
        for text in list(islice(self, (self._size + 1) // 2)):
            self.pop(text, None)

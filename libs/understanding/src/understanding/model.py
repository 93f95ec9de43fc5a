"""One language's sentiment model: where its weights are read from, and how a text's words become probabilities."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import exp, sqrt
from operator import mul
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understanding.features import Piece, Reading, Scores, numbers, piece_of
from understanding.polarity import polarity
from understanding.text import MAX_WORD, TOKEN, clean
from understanding.words import Word, grams, word

CLASSES = ("negative", "neutral", "positive")
FALLBACK = "und"
"""The model of languages without one of their own: emoji, no words."""

_REMEMBERED = 60_000
"""How many distinct chunks one language remembers, about 40 MB when full. Fewer cost time: most chunks are old acquaintances."""

_STAMP = (1980, 1, 1, 0, 0, 0)
"""The time in the archive: fixed, so that the same weights are the same bytes."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A fitted model. Weight arrays have a column for each of `CLASSES`; `gram_idf` are inverse document frequencies.

    `unknown` is the idf of an n-gram that training has not seen; it counts in the norm only.
    """

    grams: tuple[str, ...]
    gram_weights: NDArray[np.float32]
    gram_idf: NDArray[np.float32]
    unknown: float
    dense: NDArray[np.float64]
    bias: NDArray[np.float64]


def save(weights: Weights) -> bytes:
    """Return the weights as a compressed archive; equal weights are equal bytes."""
    arrays = {
        "gram_weights": weights.gram_weights.astype(np.float16),
        "gram_idf": weights.gram_idf.astype(np.float16),
        "unknown": np.array([weights.unknown]),
        "dense": weights.dense,
        "bias": weights.bias,
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in sorted(arrays.items()):
            held = io.BytesIO()
            np.save(held, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _STAMP), held.getvalue(), zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo("grams", _STAMP), "\n".join(weights.grams), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def load(packed: bytes) -> Weights:
    """Return the weights of an archive that `save` made."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:

        def array(name: str) -> NDArray[np.float64]:
            held: NDArray[np.float64] = np.load(io.BytesIO(archive.read(f"{name}.npy")), allow_pickle=False)
            return held

        text = archive.read("grams").decode()
        return Weights(
            grams=tuple(text.split("\n")) if text else (),
            gram_weights=array("gram_weights").astype(np.float32),
            gram_idf=array("gram_idf").astype(np.float32),
            unknown=array("unknown").item(),
            dense=array("dense"),
            bias=array("bias"),
        )


class Model:
    """Tells the sentiment of chunks. Remembers the chunks it has met; what it answers does not depend on that."""

    def __init__(self, language: str, weights: Weights) -> None:
        self.lexicon = polarity(language)
        self._grams = {gram: place for place, gram in enumerate(weights.grams)}
        self._gram_table = _weighted(weights.gram_weights, weights.gram_idf, weights.unknown)
        self._negative, _, self._positive = _relative(weights.dense).T.tolist()
        self._bias_negative, _, self._bias_positive = _relative(weights.bias[None, :])[0].tolist()
        self._met: dict[str, Piece] = {}
        self._words: dict[str, tuple[Word, Scores]] = {}

    def pieces(self, chunks: Sequence[str]) -> list[Piece]:
        """Return the chunks as they are counted."""
        met = self._met
        return [met.get(chunk) or self._meet(chunk) for chunk in chunks]

    def chances(self, pieces: Sequence[Piece], reading: Reading) -> tuple[float, float, float]:
        """Return the calibrated probabilities of `CLASSES`, given the pieces and their reading."""
        negative = positive = squares = 0.0
        for piece in pieces:
            one, other, square = piece.scores
            negative += one
            positive += other
            squares += square
        if reading.silenced:
            each = [scores for piece in pieces for scores in (piece.each or (piece.scores,))]
            for place in sorted(set(reading.silenced)):
                one, other, square = each[place]
                negative, positive, squares = negative - one, positive - other, squares - square
        scale = 1.0 / sqrt(squares) if squares > 1.0 else 1.0
        dense = numbers(reading)
        return _softmax(
            scale * negative + sum(map(mul, dense, self._negative)) + self._bias_negative,
            scale * positive + sum(map(mul, dense, self._positive)) + self._bias_positive,
        )

    def _meet(self, chunk: str) -> Piece:
        words = [self._words.get(token) or self._learn(token) for token in TOKEN.findall(chunk)]
        piece = piece_of([one for one, _ in words], [scores for _, scores in words])
        if len(self._met) >= _REMEMBERED:
            self._met.clear()
        if len(chunk) <= MAX_WORD:
            self._met[chunk] = piece
        return piece

    def _learn(self, token: str) -> tuple[Word, Scores]:
        met = word(token, self.lexicon)
        unknown = len(self._grams)
        places = [self._grams.get(gram, unknown) for gram in grams(met.key)] if met.counted else []
        negative, positive, squares = self._gram_table[places].sum(axis=0).tolist()
        learned = met, (negative, positive, squares)
        if len(self._words) >= _REMEMBERED:
            self._words.clear()
        if len(token) <= MAX_WORD:
            self._words[token] = learned
        return learned


def _weighted(weights: NDArray[np.float32], idf: NDArray[np.float32], unknown: float) -> NDArray[np.float64]:
    """Return the `Scores` of each n-gram, and a last row for the unknown."""
    known = np.hstack([_relative(weights * idf[:, None])[:, [0, 2]], idf[:, None] ** 2]).astype(np.float64)
    return np.vstack([known, [0.0, 0.0, unknown**2]])


def _relative(weights: NDArray[Any]) -> NDArray[Any]:
    """Return weights relative to the neutral class: only differences between classes matter."""
    relative: NDArray[Any] = weights - weights[:, [1]]
    return relative


def _softmax(negative: float, positive: float) -> tuple[float, float, float]:
    highest = max(negative, 0.0, positive)
    negative, neutral, positive = exp(negative - highest), exp(-highest), exp(positive - highest)
    total = negative + neutral + positive
    return negative / total, neutral / total, positive / total


@cache
def model(language: str) -> Model | None:
    """Return a language's shipped model, `None` where there is none."""
    path = files("understanding") / "data" / "models" / f"{language}.zip"
    return Model(language, load(path.read_bytes())) if language.isalpha() and path.is_file() else None


def chunks(text: str) -> list[str]:
    """Return the chunks of a text: what stands between spaces, cleaned."""
    return clean(text).split()

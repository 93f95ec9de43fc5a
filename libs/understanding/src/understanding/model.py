"""One language's sentiment model: where its weights are read from, and how a text's words become probabilities."""

import io
import zipfile
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import exp, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understanding.features import Reading, numbers, read
from understanding.memory import Memory
from understanding.pieces import Piece, joined, piece_of
from understanding.polarity import polarity
from understanding.text import tokens
from understanding.words import grams, word

CLASSES = ("negative", "neutral", "positive")
FALLBACK = "und"
"""The model of languages without one of their own: emoji, no words."""

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
        self._lexicon = polarity(language)
        self._places = {gram: place for place, gram in enumerate(weights.grams)}
        scores = _scores(weights.gram_weights, weights.gram_idf, weights.unknown)
        self._scores = [array("d", column.tobytes()) for column in scores.T]
        self._to_negative, _, self._to_positive = _relative(weights.dense).T.tolist()
        self._bias_negative, _, self._bias_positive = _relative(weights.bias[None, :])[0].tolist()
        self._pieces = Memory(self._meet)
        self._recall = self._pieces.__getitem__

    def read(self, chunks: Sequence[str]) -> Reading:
        """Return the reading of a text's chunks."""
        return read(list(map(self._recall, chunks)), self._lexicon)

    def chances(self, reading: Reading) -> tuple[float, float, float]:
        """Return the calibrated probabilities of `CLASSES`, given a text's reading."""
        negative, positive, squares = reading.scores
        scale = 1.0 / sqrt(squares) if squares > 1.0 else 1.0
        negative, positive = scale * negative + self._bias_negative, scale * positive + self._bias_positive
        to_negative, to_positive = self._to_negative, self._to_positive
        for place, number in numbers(reading):
            negative += number * to_negative[place]
            positive += number * to_positive[place]
        return _softmax(negative, positive)

    def _meet(self, chunk: str) -> Piece:
        found = tokens(chunk)
        if found == [chunk]:
            return self._learn(chunk)
        return joined(list(map(self._recall, found)))

    def _learn(self, token: str) -> Piece:
        met = word(token, self._lexicon)
        if not met.counted:
            return piece_of(met)
        find, unknown = self._places.get, len(self._places)
        places = [find(gram, unknown) for gram in grams(met.key)]
        negative, positive, square = (sum(map(column.__getitem__, places)) for column in self._scores)
        return piece_of(met, (negative, positive, square))


def _scores(weights: NDArray[np.float32], idf: NDArray[np.float32], unknown: float) -> NDArray[np.float64]:
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

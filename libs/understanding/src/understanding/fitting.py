"""How a model is fitted: what is counted, the weights, their calibration. Used by training and evaluation only."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold

from understanding.corpus import Rows
from understanding.features import NAMES, Reading, numbers, read
from understanding.model import Weights
from understanding.pieces import piece_of
from understanding.polarity import polarity
from understanding.text import chunks, tokens
from understanding.words import grams, word

STRENGTH = 1.5
"""Inverse regularisation. 0.5 to 4 differ by less than a point of macro-F1 in cross-validation."""

DENSE_SCALE = 0.15
"""How much the standardised lexicon features weigh against n-grams of unit length; 0.1 to 0.2 are equal in cross-validation."""

SEEN = 2
"""In how many training texts an n-gram must occur to have a weight; an n-gram of one text memorises that text."""

FOLDS = 5

RISING, FALLING = ("emoji_positive", "emoji_balance", "total"), ("emoji_negative",)
"""Features whose weights must not fall, or rise, from negative to positive: an angry emoji never makes a text more positive.

Where a language's texts have few emoji, the fitted weights can be in any order.
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """A text as it is counted: the character n-grams of its words, and the numbers of `features`."""

    grams: list[str]
    dense: list[float]


def count(text: str, language: str) -> Counted:
    """Return a text as the language's model counts it."""
    lexicon = polarity(language)
    words = [word(token, lexicon) for chunk in chunks(text) for token in tokens(chunk)]
    reading = read([piece_of(one) for one in words], lexicon)
    keys = [one.key for place, one in enumerate(words) if one.counted and place not in reading.silenced]
    return Counted([gram for key in keys for gram in grams(key)], dense(reading))


def dense(reading: Reading) -> list[float]:
    """Return the numbers of a reading, a place each of `NAMES`."""
    found = dict(numbers(reading))
    return [found.get(place, 0.0) for place in range(len(NAMES))]


class Vocabulary:
    """The n-grams that get a weight, with their inverse document frequencies."""

    def __init__(self, documents: Iterable[Sequence[str]]) -> None:
        frequencies: Counter[str] = Counter()
        total = 0
        for document in documents:
            frequencies.update(set(document))
            total += 1
        kept = sorted(item for item, frequency in frequencies.items() if frequency >= SEEN)
        self.items = tuple(kept)
        self.idf = np.array([log((1 + total) / (1 + frequencies[item])) + 1 for item in kept], dtype=np.float16).astype(
            np.float32
        )
        self.unknown = log(1 + total) + 1
        self._places = {item: place for place, item in enumerate(kept)}

    def matrix(self, documents: Sequence[Sequence[str]]) -> sparse.csr_matrix:
        """Return a row a document: counts times idf, of about unit length."""
        rows, columns, values = [], [], []
        for row, document in enumerate(documents):
            places = [self._places.get(item) for item in document]
            squares = sum(float(self.idf[place]) ** 2 if place is not None else self.unknown**2 for place in places)
            scale = 1 / sqrt(squares) if squares > 1 else 1.0
            for place in places:
                if place is not None:
                    rows.append(row)
                    columns.append(place)
                    values.append(float(self.idf[place]) * scale)
        return sparse.csr_matrix((values, (rows, columns)), shape=(len(documents), len(self.items)))


@dataclass(frozen=True, slots=True)
class Corpus:
    """A language's counted texts, their labels, and their dense features standardised within the language."""

    counted: list[Counted]
    labels: NDArray[np.int64]
    dense: NDArray[np.float64]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]


def corpus(rows: Rows, language: str) -> Corpus:
    """Return the rows as the language's model counts them."""
    counted = [count(text, language) for text, _ in rows]
    dense = np.array([one.dense for one in counted])
    mean, spread = dense.mean(axis=0), dense.std(axis=0) + 1e-6
    labels = np.array([label for _, label in rows])
    return Corpus(counted, labels, (dense - mean) / spread * DENSE_SCALE, mean, spread)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A calibrated model, and what cross-validation on its texts says: macro-F1 (0 to 100), calibration error (0 to 1)."""

    weights: Weights
    macro_f1: float
    error: float


def fit(own: Corpus, mixed_in: Corpus | None, seed: int) -> Fitted:
    """Return a model of a corpus; its temperature comes from `FOLDS`-fold cross-validation.

    `mixed_in` is a language that this one's comments are half written in. It lends what it knows: every feature then exists
    twice, the language's own and shared.
    """
    vocabulary = Vocabulary([one.grams for one in own.counted])
    matrix = _matrix(vocabulary, own)
    lent = None if mixed_in is None else (_matrix(vocabulary, mixed_in), mixed_in.labels)
    logits = np.zeros((len(own.labels), 3))
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(own.labels, own.labels):
        coefficients, bias = _logistic(matrix[train], own.labels[train], lent)
        logits[test] = matrix[test] @ coefficients.T + bias
    heat = temperature(logits, own.labels)
    coefficients, bias = _logistic(matrix, own.labels, lent)
    score = 100 * float(f1_score(own.labels, logits.argmax(axis=1), average="macro"))
    error = calibration_error(softmax(logits / heat), own.labels)
    return Fitted(_weights(vocabulary, own, coefficients / heat, bias / heat), score, error)


def fit_emoji(own: Corpus, seed: int) -> Fitted:
    """Return a model of emoji alone, for languages of which nothing else is known."""
    kept = np.array([name.startswith("emoji_") for name in NAMES], dtype=float)
    wordless = [Counted([], one.dense) for one in own.counted]
    return fit(Corpus(wordless, own.labels, own.dense * kept, own.mean, own.spread), None, seed)


def _matrix(vocabulary: Vocabulary, texts: Corpus) -> sparse.csr_matrix:
    return sparse.hstack([vocabulary.matrix([one.grams for one in texts.counted]), texts.dense]).tocsr()


def _logistic(
    own: sparse.csr_matrix, labels: NDArray[np.int64], lent: tuple[sparse.csr_matrix, NDArray[np.int64]] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    regression = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=200, tol=3e-4)
    if lent is None:
        regression.fit(own, labels)
        return regression.coef_, regression.intercept_
    matrix, lent_labels = lent
    blocks = [sparse.hstack([own, own]), sparse.hstack([sparse.csr_matrix(matrix.shape), matrix])]
    regression.fit(sparse.vstack(blocks).tocsr(), np.concatenate([labels, lent_labels]))
    width = own.shape[1]
    return regression.coef_[:, :width] + regression.coef_[:, width:], regression.intercept_


def rising(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the nearest three weights that do not fall from class to class: neighbours that do are replaced by their mean."""
    negative, neutral, positive = weights.tolist()
    if negative > neutral:
        negative = neutral = (negative + neutral) / 2
    if neutral > positive:
        neutral = positive = (neutral + positive) / 2
    if negative > neutral:
        negative = neutral = positive = float(weights.mean())
    return np.array([negative, neutral, positive])


def _weights(vocabulary: Vocabulary, own: Corpus, coefficients: NDArray[np.float64], bias: NDArray[np.float64]) -> Weights:
    known = len(vocabulary.items)
    dense = (coefficients[:, known:] * DENSE_SCALE / own.spread).T
    for name in RISING:
        dense[NAMES.index(name)] = rising(dense[NAMES.index(name)])
    for name in FALLING:
        dense[NAMES.index(name)] = -rising(-dense[NAMES.index(name)])
    return Weights(
        grams=vocabulary.items,
        gram_weights=coefficients[:, :known].T.astype(np.float32),
        gram_idf=vocabulary.idf,
        unknown=vocabulary.unknown,
        dense=dense,
        bias=bias - own.mean @ dense,
    )


def temperature(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return the number by which logits are divided so that their probabilities are as likely as can be."""

    def surprise(heat: float) -> float:
        return -float(np.mean(np.log(softmax(logits / heat)[np.arange(len(labels)), labels])))

    return float(minimize_scalar(surprise, bounds=(0.3, 5.0), method="bounded").x)


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities, a row a text."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return shares


def calibration_error(probabilities: NDArray[np.float64], labels: NDArray[np.int64], bins: int = 10) -> float:
    """Return the expected calibration error: the mean gap of confidence and accuracy over equal bins of confidence."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[place == one].mean() - right[place == one].mean()) * (place == one).mean() for one in set(place.tolist())
    ]
    return float(sum(gaps))

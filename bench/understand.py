"""Understanding alone, in this process: CPU-µs a comment for language, sentiment and flags, beside a library baseline."""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pycld2
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier

from bench.measure import SERVER_CPU, median
from understanding import Understander

DATA = Path(__file__).parents[2] / "shared" / "data" / "sentiment"
ROUNDS = 5
SEED = 20261122
_FEWEST = 200
_COLUMNS = 2**18

SAMPLES = (
    "@shop where is my order? It never arrived and nobody answers 😡 http://example.org/1",
    "Love the new colour, thank you so much!!! 😍 #summer",
    "Das ist leider gar nicht schön, ich warte seit zwei Wochen auf eine Antwort",
    "C'est pas mal du tout, où peut-on acheter ça ?",
    "Me encanta, cuánto cuesta y hacen envíos a Chile?",
    "Ottimo lavoro ragazzi, non vedo l'ora di vedervi",
    "Péssimo atendimento, nunca mais compro aqui",
    "Спасибо за быструю доставку, всё понравилось",
    "الخدمة سيئة جدا ولا أحد يرد",
    "bahut badhiya bhai, kitne ka hai",
)
"""What is measured where the benchmark's texts are absent."""


def measure(sample: float) -> dict[str, float]:
    """Return CPU-µs a comment of the understander, warm and over comments it meets for the first time, and of the baseline.

    Warm: other comments were understood before, and these once. `sample` is the share of the comments that are measured.
    """
    os.sched_setaffinity(0, {SERVER_CPU})
    before, labels, texts = _texts(sample)
    understander = Understander()
    for text in before:
        understander.understand(text)
    first = _round(understander.understand, texts)
    baseline = _baseline(before, labels)
    took: dict[str, list[float]] = {"understand_us": [], "understand_baseline_us": []}
    for _ in range(ROUNDS):
        took["understand_us"].append(_round(understander.understand, texts))
        took["understand_baseline_us"].append(_round(baseline, texts))
    os.sched_setaffinity(0, set(range(os.cpu_count() or 1)))
    found = {name: median(values) for name, values in took.items()}
    return found | {"understand_first_us": first}


def _texts(sample: float) -> tuple[Sequence[str], Sequence[int], Sequence[str]]:
    """Return comments to warm up with, their labels, and the comments to measure."""
    if not DATA.is_dir():
        return SAMPLES, [number % 3 for number in range(len(SAMPLES))], SAMPLES * _FEWEST
    parts: dict[str, list[str]] = {"train": [], "val": []}
    for part, lines in parts.items():
        for path in sorted(DATA.glob(f"*/{part}_text.txt")):
            lines += path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    labels = [int(label) for path in sorted(DATA.glob("*/train_labels.txt")) for label in path.read_text().split()]
    step = max(1, round(1 / sample))
    return parts["train"], labels, parts["val"][::step]


def _baseline(texts: Sequence[str], labels: Sequence[int]) -> Callable[[str], object]:
    """Return what a first attempt with libraries would be: pycld2, hashed character n-grams, a linear model; no flags."""
    words = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 5), n_features=_COLUMNS)
    classifier = SGDClassifier(loss="log_loss", random_state=SEED)
    step = 512
    for begin in range(0, len(texts), step):
        classifier.partial_fit(words.transform(texts[begin : begin + step]), labels[begin : begin + step], classes=np.arange(3))

    def understand(text: str) -> object:
        try:
            language = pycld2.detect(text, bestEffort=True)[2][0][1]
        except pycld2.error:
            language = ""
        return language, classifier.predict_proba(words.transform([text]))

    return understand


def _round(understand: Callable[[str], object], texts: Sequence[str]) -> float:
    begun = time.process_time()
    for text in texts:
        understand(text)
    return (time.process_time() - begun) / len(texts) * 1e6

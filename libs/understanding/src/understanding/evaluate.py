"""`python -m understanding.evaluate DATA_DIR [--part val] [--models DIR]`: macro-F1 and calibration of each language."""

import argparse
import sys
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score

from understanding.corpus import LANGUAGES, Rows, read_part
from understanding.fitting import calibration_error
from understanding.model import Model, load, model
from understanding.text import chunks

BENCHMARK = ("ar", "de", "en", "es", "fr", "hi", "it", "pt")
"""The languages whose mean is published: UMSAB's eight."""


def main() -> int:
    """Print a row a language and the mean of the benchmark's eight."""
    parser = argparse.ArgumentParser(prog="python -m understanding.evaluate", description=__doc__)
    parser.add_argument("data", type=Path, help="directory of <language>/<part>_{text,labels}.txt")
    parser.add_argument("--part", default="val", help="which part to score: val, or any other that is there")
    parser.add_argument("--models", type=Path, help="directory of models to score instead of the shipped ones")
    options = parser.parse_args()
    scores: dict[str, float] = {}
    for language, name in LANGUAGES.items():
        if not (options.data / name).is_dir():
            continue
        scored = _model(language, options.models)
        if scored is None:
            continue
        rows = read_part(options.data, language, options.part)
        scores[language], error = score(scored, rows)
        sys.stdout.write(f"{language}  texts {len(rows):5}  macro-F1 {scores[language]:5.1f}  calibration error {error:.3f}\n")
    eight = [scores[language] for language in BENCHMARK if language in scores]
    sys.stdout.write(f"mean macro-F1 of {len(eight)} languages of the benchmark {np.mean(eight):.2f}\n")
    return 0


def _model(language: str, directory: Path | None) -> Model | None:
    return model(language) if directory is None else Model(language, load((directory / f"{language}.zip").read_bytes()))


def score(scored: Model, rows: Rows) -> tuple[float, float]:
    """Return the macro-F1, 0 to 100, and the expected calibration error, 0 to 1."""
    probabilities = np.array([scored.chances(scored.read(chunks(text))) for text, _ in rows])
    labels = np.array([label for _, label in rows])
    return 100 * float(f1_score(labels, probabilities.argmax(axis=1), average="macro")), calibration_error(probabilities, labels)


if __name__ == "__main__":
    raise SystemExit(main())

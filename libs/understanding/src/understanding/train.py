"""`python -m understanding.train DATA_DIR --out DIR --seed N [--own FILE]`: build the models that ship, or your own."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from threadpoolctl import threadpool_limits

from understanding.corpus import HINDI_NOISE, LANGUAGES, Rows, read_own, read_part
from understanding.fitting import Fitted, corpus, fit, fit_emoji
from understanding.language import LATIN, count_words
from understanding.model import FALLBACK, save
from understanding.text import chunks

SEED = 20261122
FEWEST = 60
"""Own texts that a language without shipped training data needs at least; with fewer, cross-validation has nothing to say."""

_MIXED = {"hi": "en"}
"""Languages whose comments are half in another one, which therefore lends its n-grams too."""

FEWEST_VOTES = 5
"""In how many texts a word must occur to vote for a language; rarer words are names."""


def main() -> int:
    """Train every language of the data directory and of the user's own file."""
    parser = argparse.ArgumentParser(prog="python -m understanding.train", description=__doc__)
    parser.add_argument("data", type=Path, help="directory of <language>/{train,val}_{text,labels}.txt")
    parser.add_argument("--out", type=Path, required=True, help="directory that receives <language>.zip")
    parser.add_argument("--seed", type=int, default=SEED, help="of the folds of the calibration")
    parser.add_argument("--own", type=Path, help="your labelled comments, JSON lines or CSV: text, language, label")
    parser.add_argument("--with-val", action="store_true", help="train on val too; its figures then say nothing")
    options = parser.parse_args()
    parts = ("train", "val") if options.with_val else ("train",)
    with threadpool_limits(1):  # sums in one order: the same weights at every run
        _train(options, parts)
    return 0


def _train(options: argparse.Namespace, parts: tuple[str, ...]) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    rows = gather(options.data, parts, read_own(options.own) if options.own else {})
    counted = {language: corpus(mine, language) for language, mine in rows.items()}
    for language, own in counted.items():
        _write(options.out, language, fit(own, counted.get(_MIXED.get(language, "")), options.seed))
    everything = corpus([row for mine in rows.values() for row in mine], FALLBACK)
    _write(options.out, FALLBACK, fit_emoji(everything, options.seed))
    if all(language in rows for language in LATIN):
        spoken = {language: [chunks(text) for text, _ in rows[language]] for language in LATIN}
        (options.out / "languages.tsv").write_text(count_words(spoken, FEWEST_VOTES), encoding="utf-8")


def gather(data: Path, parts: tuple[str, ...], own: Mapping[str, Rows]) -> dict[str, Rows]:
    """Return the rows of each language: what the data directory has of it, then the user's own."""
    found: dict[str, Rows] = {}
    for language in sorted({*LANGUAGES, *own}):
        rows: Rows = []
        if language in LANGUAGES and (data / LANGUAGES[language]).is_dir():
            for part in parts:
                read = read_part(data, language, part)
                rows += read if language != "hi" else read[HINDI_NOISE:] if part == "train" else []
        rows += own.get(language, [])
        if len(rows) >= FEWEST and len({label for _, label in rows}) == 3:
            found[language] = rows
        elif rows:
            sys.stderr.write(f"{language}: left out, needs {FEWEST} texts of all three labels\n")
    return found


def _write(out: Path, language: str, fitted: Fitted) -> None:
    packed = save(fitted.weights)
    (out / f"{language}.zip").write_bytes(packed)
    sys.stdout.write(
        f"{language:4} cross-validated macro-F1 {fitted.macro_f1:5.1f}, calibration error {fitted.error:.3f}, "
        f"{len(packed) / 1e3:.0f} kB\n"
    )


if __name__ == "__main__":
    raise SystemExit(main())

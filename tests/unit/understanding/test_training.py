"""Training: bit-identical weights, a user's own comments, and the figures on texts that were not trained on."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from understanding.corpus import LANGUAGES, read_own, read_part
from understanding.evaluate import score
from understanding.fitting import calibration_error, corpus, fit
from understanding.language import votes
from understanding.model import FALLBACK, Model, load, model, save
from understanding.train import SEED, gather

DATA = Path(__file__).parents[4] / "shared" / "data" / "sentiment"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the benchmark's texts are not beside this checkout")

PRAISE, BLAME, PLAIN = ("lovely", "zauberhaft", "bello"), ("awful", "grausig", "brutto"), ("table", "Tisch", "tavolo")


def own_file(directory: Path) -> Path:
    """Write ninety labelled comments in a made-up language as CSV."""
    rows = ["text,language,label"]
    for number in range(30):
        rows += [f"{PRAISE[number % 3]} thing {number},xy,positive", f"{BLAME[number % 3]} thing {number},xy,negative"]
        rows += [f"{PLAIN[number % 3]} thing {number},xy,neutral"]
    path = directory / "own.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_own_comments_train_a_model_with_one_command(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "understanding.train",
        str(tmp_path),
        "--own",
        str(own_file(tmp_path)),
        "--seed",
        "7",
        "--out",
    ]
    for name in ("first", "second"):
        subprocess.run([*command, str(tmp_path / name)], check=True, timeout=120, capture_output=True)
    first, second = ((tmp_path / name / "xy.zip").read_bytes() for name in ("first", "second"))
    assert first == second
    scored, error = score(Model("xy", load(first)), [("so lovely", 2), ("how awful", 0), ("a table", 1)])
    assert scored == 100
    assert error < 1


def test_json_lines_are_read_and_a_bad_record_is_named(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    good = '{"text": "good", "language": "EN", "label": "positive"}\n'
    path.write_text(good + '\n{"text": "bad", "language": "en", "label": "angry"}\n')
    with pytest.raises(ValueError, match="record 2"):
        read_own(path)
    path.write_text(good)
    assert read_own(path) == {"en": [("good", 2)]}


def test_too_few_own_comments_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gather(tmp_path, ("train",), {"xy": [("good", 2), ("bad", 0)]}) == {}
    assert "xy: left out" in capsys.readouterr().err


def test_weights_survive_their_archive() -> None:
    rows = [(f"{word} {number}", label) for label, word in enumerate(("awful", "table", "lovely")) for number in range(30)]
    weights = fit(corpus(rows, "en"), None, 1).weights
    again = load(save(weights))
    assert again.grams == weights.grams
    assert np.allclose(again.gram_weights, weights.gram_weights, atol=2e-3)
    assert save(again) == save(weights)


def test_calibration_error_of_known_confidences() -> None:
    sure = np.array([[0.0, 0.0, 1.0]] * 4)
    assert calibration_error(sure, np.array([2, 2, 2, 2])) == pytest.approx(0)
    assert calibration_error(sure, np.array([2, 2, 0, 0])) == pytest.approx(0.5)


def test_every_language_has_its_model_and_the_package_is_small() -> None:
    assert [language for language in (*LANGUAGES, FALLBACK) if model(language) is None] == []
    assert model("xx") is None
    assert model("../en") is None
    package = Path(sys.modules["understanding"].__file__ or "").parent / "data"
    assert sum(path.stat().st_size for path in package.rglob("*") if path.is_file()) < 20e6
    assert len(votes()) > 1_000
    assert all(opinion > 0 for opinion in votes().values())


@needs_data
@pytest.mark.parametrize(("language", "least"), [("pt", 58.0)])
def test_a_model_of_the_training_part_does_well_on_the_other(language: str, least: float) -> None:
    rows = gather(DATA, ("train",), {})[language]
    fitted = fit(corpus(rows, language), None, SEED)
    reached, error = score(Model(language, fitted.weights), read_part(DATA, language, "val"))
    print(f"{language}: macro-F1 {reached:.1f}, calibration error {error:.3f}, cross-validated {fitted.macro_f1:.1f}")
    assert reached >= least
    assert error < 0.12


@needs_data
def test_the_shipped_models_know_the_texts_they_were_trained_on() -> None:
    reached = {
        language: score(found, read_part(DATA, language, "val"))[0] for language in LANGUAGES if (found := model(language))
    }
    print({language: round(value, 1) for language, value in reached.items()})
    assert len(reached) == len(LANGUAGES)
    assert min(value for language, value in reached.items() if language != "hi") > 60

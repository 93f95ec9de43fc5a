"""`antiphon understand` as a process in a pipe: a line in, an object out, at once and whatever the line holds."""

import subprocess
import sys
from typing import Any

import orjson
import pytest

FIELDS = {"language", "language_confidence", "sentiment", "score", "confidence", "flags"}


@pytest.fixture
def understand(bare_cli: Any) -> Any:
    """Answer a whole input."""

    def run(stdin: bytes, *arguments: str) -> list[dict[str, Any]]:
        with bare_cli.start(
            "understand", *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            out, err = process.communicate(stdin, timeout=60)
        assert (process.returncode, err) == (0, b"")
        return [orjson.loads(line) for line in out.splitlines()]

    return run


def test_every_line_gets_its_object(understand: Any) -> None:
    texts = [
        "I love this, thank you!",
        "Das ist furchtbar, nie wieder.",
        "",
        "   ",
        "🎉",
        "¿Cuánto cuesta?",
        "\u2028odd\u0085breaks",
    ]
    found = understand("\n".join(texts).encode() + b"\r\n" + b"\xff\xfe broken \xf0\n" + b"no end")
    assert len(found) == len(texts) + 2
    for answer in found:
        assert answer.keys() == FIELDS
        assert answer["sentiment"] in {"negative", "neutral", "positive"}
        assert -1 <= answer["score"] <= 1
        assert 0 <= answer["confidence"] <= 1
        assert 0 <= answer["language_confidence"] <= 1
    assert (found[0]["language"], found[0]["sentiment"]) == ("en", "positive")
    assert (found[1]["language"], found[1]["sentiment"]) == ("de", "negative")
    assert found[2] == {
        "language": "",
        "language_confidence": 0,
        "sentiment": "neutral",
        "score": 0,
        "confidence": 0,
        "flags": [],
    }
    assert "question" in found[5]["flags"]


@pytest.mark.parametrize("arguments", [("--language", "de"), ("--language=DE",), ("--language", "de", "--languages", "de, en")])
def test_a_language_can_be_fixed(understand: Any, arguments: tuple[str, ...]) -> None:
    assert [answer["language"] for answer in understand(b"hello\nhola\n", *arguments)] == ["de", "de"]


def test_an_answer_comes_before_the_input_ends_and_a_reader_may_leave(bare_cli: Any) -> None:
    with bare_cli.start("understand", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(b"first\n")
        process.stdin.flush()
        assert orjson.loads(process.stdout.readline()).keys() == FIELDS
        process.stdout.close()
        process.stdin.write(b"second\n" * 1000)
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0


def test_nothing_in_is_nothing_out(understand: Any) -> None:
    assert understand(b"") == []


def test_wrong_options_are_told(bare_cli: Any) -> None:
    with bare_cli.start("understand", "--tongue", "de", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        _, err = process.communicate(timeout=60)
    assert (process.returncode, b"--tongue" in err) == (2, True)


def test_it_does_not_load_what_it_does_not_need(bare_cli: Any) -> None:
    """Start-up is half of what a short pipe waits for."""
    code = (
        "import sys; sys.argv = ['antiphon', 'understand']; from antiphon_cli.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: print(*sorted({'typer', 'rich', 'httpx', 'yaml', 'pydantic'} & sys.modules.keys()), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=b"hello\n", capture_output=True, timeout=60, check=True)
    assert done.stderr.strip() == b""
    assert done.stdout.count(b"\n") == 1

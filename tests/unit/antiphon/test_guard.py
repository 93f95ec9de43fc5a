"""Three branches: what can never work is put aside, what may work later is repeated, anything else is a bug."""

import subprocess
import sys
from collections.abc import Sequence

import pytest

from antiphon.errors import Invalid, Transient
from antiphon.kafka import (
    CONSECUTIVE_DEAD_LETTERS,
    DEAD_LETTER_RATIO,
    EXIT_NO_DEAD_LETTER,
    Backoff,
    DeadLetters,
    Guard,
    Record,
    TooManyDeadLetters,
)
from antiphon.seal import SealError

TOPIC = "ingest.events.v1"


class KeptProducer:
    """A producer that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bytes | None, dict[str, bytes]]] = []

    async def send_and_wait(self, topic: str, value: bytes, *, key: bytes | None, headers: list[tuple[str, bytes]]) -> None:
        self.sent.append((topic, value, key, dict(headers)))


class Line:
    """A guard around a list of what was processed; a behaviour may be set for a text."""

    def __init__(self) -> None:
        self.producer = KeptProducer()
        self.reasons: list[str] = []
        self.done: list[str] = []
        self.calls: list[int] = []
        self.errors: dict[str, list[Exception]] = {}
        self.guard = Guard(
            decode=self._decode,
            process=self._process,
            dead_letters=DeadLetters(self.producer, self.reasons.append),
            open_records=self._open,
            backoff=Backoff(first=0.001, longest=0.002),
        )

    async def _open(self, records: Sequence[Record]) -> Sequence[Record | None]:
        if any(record.value == b"locked" for record in records):
            raise SealError("sealed with an unknown key")
        return [None if record.value == b"forgotten" else record for record in records]

    @staticmethod
    def _decode(record: Record) -> str:
        if record.value == b"garbage":
            raise Invalid("undecodable", "no text")
        return record.value.decode()

    async def _process(self, batch: Sequence[str]) -> None:
        self.calls.append(len(batch))
        for text in batch:
            if self.errors.get(text):
                error = self.errors[text][0]
                if isinstance(error, Transient):
                    self.errors[text].pop(0)
                raise error
        self.done += batch

    async def handle(self, *texts: str) -> None:
        await self.guard.handle([Record(TOPIC, 3, offset, b"key", text.encode()) for offset, text in enumerate(texts)])


@pytest.fixture
def line() -> Line:
    return Line()


async def test_a_good_batch_is_processed_at_once(line: Line) -> None:
    await line.handle("a", "b", "c")
    assert (line.done, line.calls, line.producer.sent) == (["a", "b", "c"], [3], [])


async def test_what_cannot_be_decoded_is_put_aside_with_all_that_is_known_about_it(line: Line) -> None:
    await line.handle("a", "garbage", "b")
    assert line.done == ["a", "b"]
    [(topic, value, key, headers)] = line.producer.sent
    assert (topic, value, key) == (f"{TOPIC}.dlq", b"garbage", b"key")
    assert headers == {
        "dlq_reason": b"undecodable",
        "dlq_error": b"Invalid",
        "dlq_detail": b"no text",
        "dlq_topic": TOPIC.encode(),
        "dlq_partition": b"3",
        "dlq_offset": b"1",
    }


async def test_what_may_work_later_is_repeated_in_place_until_it_does(line: Line) -> None:
    line.errors["b"] = [Transient("away"), Transient("still away", retry_after=0.001)]
    await line.handle("a", "b")
    assert (line.done, line.calls, line.producer.sent) == (["a", "b"], [2, 2, 2], [])


async def test_a_bug_is_put_aside_under_its_name_alone(line: Line) -> None:
    line.errors["bad"] = [ZeroDivisionError("oops")]
    await line.handle("bad")
    assert (line.done, line.reasons) == ([], ["bug"])
    assert line.producer.sent[0][3]["dlq_error"] == b"ZeroDivisionError"


async def test_a_poisoned_batch_is_halved_until_the_culprits_stand_alone_and_order_is_kept(line: Line) -> None:
    texts = [f"t{number}" for number in range(64)]
    line.errors["t17"] = [ValueError("poison")]
    line.errors["t40"] = [Invalid("bad_time")]
    await line.handle(*texts)
    assert line.done == [text for text in texts if text not in {"t17", "t40"}]
    assert [(value, headers["dlq_reason"]) for _, value, _, headers in line.producer.sent] == [
        (b"t17", b"bug"),
        (b"t40", b"bad_time"),
    ]
    assert len(line.calls) < 30


async def test_what_cannot_be_opened_is_put_aside_alone_and_what_was_forgotten_is_not(line: Line) -> None:
    await line.handle("a", "b", "locked", "forgotten", "c", "locked", "d")
    assert line.done == ["a", "b", "c", "d"]
    assert [(value, headers["dlq_error"], headers["dlq_offset"]) for _, value, _, headers in line.producer.sent] == [
        (b"locked", b"SealError", b"2"),
        (b"locked", b"SealError", b"5"),
    ]


async def test_too_many_dead_letters_in_a_row_stop_the_process(line: Line) -> None:
    with pytest.raises(TooManyDeadLetters):
        await line.handle(*["garbage"] * (CONSECUTIVE_DEAD_LETTERS + 5))
    assert len(line.producer.sent) == CONSECUTIVE_DEAD_LETTERS


async def test_a_success_in_between_breaks_the_row(line: Line) -> None:
    for _ in range(2):
        await line.handle(*["garbage"] * (CONSECUTIVE_DEAD_LETTERS - 1))
        await line.handle("good")
    assert line.done == ["good", "good"]


async def test_a_share_of_dead_letters_stops_the_process_too(line: Line) -> None:
    while len(line.producer.sent) < 1_000 * DEAD_LETTER_RATIO:
        await line.handle("good", "garbage", "good")
    with pytest.raises(TooManyDeadLetters):
        await line.handle("good", "garbage", "good")
    assert len(line.producer.sent) - 1 == 1_000 * DEAD_LETTER_RATIO


async def test_few_dead_letters_among_many_good_ones_go_on_for_ever(line: Line) -> None:
    for _ in range(300):
        await line.handle(*["good"] * 99, "garbage")
    assert (len(line.producer.sent), len(line.done)) == (300, 29_700)


def test_a_dead_letter_that_cannot_be_written_ends_the_process() -> None:
    program = """
import asyncio
from antiphon.kafka import DeadLetters, Record
class Broken:
    async def send_and_wait(self, *_, **__): raise OSError("no broker")
asyncio.run(DeadLetters(Broken()).put(Record("t", 0, 1, None, b"x"), ValueError()))
print("survived")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (EXIT_NO_DEAD_LETTER, "")


@pytest.mark.parametrize(
    ("attempt", "least", "most"), [(1, 0.05, 0.1), (2, 0.1, 0.2), (5, 0.8, 1.6), (50, 5.0, 10.0), (100_000, 5.0, 10.0)]
)
def test_waits_double_up_to_a_bound(attempt: int, least: float, most: float) -> None:
    delays: list[float] = [Backoff().delay(attempt) for _ in range(50)]
    assert least <= min(delays) < max(delays) <= most

"""Running a coroutine to its end from anywhere: also from inside a running event loop, where asyncio.run would refuse."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


def run_apart(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run the coroutine on an event loop and thread of its own; block until it is done and return or raise what it does."""
    answer: Future[T] = Future()

    def work() -> None:
        try:
            answer.set_result(asyncio.run(coroutine))
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            answer.set_exception(error)

    thread = threading.Thread(target=work, name="run-apart")
    thread.start()
    thread.join()
    return answer.result()

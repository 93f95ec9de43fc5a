"""A large brand's day in one go must cost little, for the simulator shares its machine with what it tests."""

import time
from typing import Any

import orjson

BUDGET_SECONDS = 3.0
"""CPU seconds for 12,000 comments, from upload to the last 2xx; the receiver's and the client's share included."""


async def test_twelve_thousand_comments_cost_little_cpu(box: Any) -> None:
    await box.account()
    await box.account("instagram")
    accounts = [("facebook", "100100"), ("instagram", "17841400000000001")]
    lines = b"\n".join(
        orjson.dumps({"platform": platform, "account": name, "author": {"id": f"u{n}", "name": f"User {n}"},
                      "text": f"@brand where is my bag? flight NW{n} ✈️"})
        for n in range(12_000)
        for platform, name in [accounts[n % 2]]
    )  # fmt: skip
    begun = time.process_time()
    answer = await box.http.post("/control/comments", content=lines, headers={"content-type": "application/x-ndjson"})
    await box.drained(every=0.05)
    spent = time.process_time() - begun
    print(f"{spent:.2f} s of CPU")
    assert answer.json()["created"] == 12_000
    assert len(box.hook.bodies) in {240, 241}
    assert (await box.control("GET", "stats?detail=false"))["accepted_comments"] == 12_000
    assert spent < BUDGET_SECONDS

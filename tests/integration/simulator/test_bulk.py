"""A large brand's day in one go."""

from typing import Any

import orjson


async def test_twelve_thousand_comments_arrive_in_full_batches(box: Any) -> None:
    await box.account()
    await box.account("instagram")
    accounts = [("facebook", "100100"), ("instagram", "17841400000000001")]
    lines = b"\n".join(
        orjson.dumps({"platform": platform, "account": name, "author": {"id": f"u{n}", "name": f"User {n}"},
                      "text": f"@brand where is my bag? flight NW{n} ✈️"})
        for n in range(12_000)
        for platform, name in [accounts[n % 2]]
    )  # fmt: skip
    answer = await box.http.post("/control/comments", content=lines, headers={"content-type": "application/x-ndjson"})
    await box.drained(every=0.05)
    assert answer.json()["created"] == 12_000
    assert len(box.hook.bodies) in {240, 241}
    assert (await box.control("GET", "stats?detail=false"))["accepted_comments"] == 12_000

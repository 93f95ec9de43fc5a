import time, asyncio, pytest


async def test_speed(stage_for):
    stage = await stage_for("facebook")
    N = 900
    stage.env["PUBLISHER_RATE_PER_SECOND"] = "5000"
    stage.env["PUBLISHER_LEASE_SECONDS"] = "15"
    stage.env["PUBLISHER_HTTP_TIMEOUT_SECONDS"] = "10"
    stage.env["PUBLISHER_SETTLE_SECONDS"] = "120"
    stage.env["PUBLISHER_RATE_BURST"] = "5000"
    import sys
    from antiphon_local.procs import Process
    from dataclasses import replace

    w = stage.worker()
    w.stop()
    if 0:
        w = Process(replace(w.command, argv=[sys.executable, "/tmp/pubspike/prof.py"]))
        stage.workers.append(w)
        w.start()
        await asyncio.to_thread(w.wait_ready, 60)
    comments = [stage.network.comment("facebook", stage.account, f"c{i}", author=f"u{i}") for i in range(N)]
    ds = [stage.decision(c) for c in comments]
    from pathlib import Path

    S0 = [
        sum(map(int, (q.parent / "stat").read_text().split()[13:15])) / 100
        for q in Path("/proc").glob("[0-9]*/cmdline")
        if q.exists()
        and b"secantus" in q.read_bytes()
        and stage.env["MONGO_URI"].split(":")[2].split("/")[0].encode() in q.read_bytes()
    ][0]
    t = time.time()
    await stage.decide(*ds)
    await stage.rest([d.actions[0].action_id for d in ds], 100)
    el = time.time() - t
    from pathlib import Path

    cpu = sum(map(int, Path(f"/proc/{w.pid}/stat").read_text().split()[13:15])) / 100
    sec = [
        q
        for q in Path("/proc").glob("[0-9]*/cmdline")
        if q.exists()
        and b"secantus" in q.read_bytes()
        and stage.env["MONGO_URI"].split(":")[2].split("/")[0].encode() in q.read_bytes()
    ]
    print([sum(map(int, (q.parent / "stat").read_text().split()[13:15])) / 100 - S0 for q in sec])
    print("posts/s", N / el, "worker cpu s", cpu)
    r = stage.network.replies()
    assert all(r[c] == 1 for c in comments)

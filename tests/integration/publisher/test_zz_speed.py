import time, asyncio, pytest
async def test_speed(stage_for):
    stage = await stage_for("facebook")
    N=900
    stage.env["PUBLISHER_RATE_PER_SECOND"]="5000"; stage.env["PUBLISHER_RATE_BURST"]="5000"
    import sys
    from antiphon_local.procs import Process
    from dataclasses import replace
    w=stage.worker(); w.stop()
    if 1:
        w=Process(replace(w.command, argv=[sys.executable,"/tmp/pubspike/prof.py"])); stage.workers.append(w); w.start(); await asyncio.to_thread(w.wait_ready, 60)
    comments=[stage.network.comment("facebook", stage.account, f"c{i}", author=f"u{i}") for i in range(N)]
    ds=[stage.decision(c) for c in comments]
    t=time.time()
    await stage.decide(*ds)
    await stage.rest([d.actions[0].action_id for d in ds], 100)
    el=time.time()-t
    from pathlib import Path; cpu=sum(map(int,Path(f"/proc/{w.pid}/stat").read_text().split()[13:15]))/100
    print("posts/s", N/el, "worker cpu s", cpu)
    r=stage.network.replies(); assert all(r[c]==1 for c in comments)

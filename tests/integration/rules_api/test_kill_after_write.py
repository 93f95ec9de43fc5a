"""SIGKILL between the write and its publication: after the restart everybody has what was saved, once."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from antiphon_local.ports import free_ports
from antiphon_local.procs import Command, Process

ProcessFactory = Callable[[str], tuple[Process, str]]


@pytest.fixture
def api_process(tmp_path: Path, local_env: dict[str, str], rules_settings: Any) -> Iterator[ProcessFactory]:
    """Start `python -m rules api` with a failpoint (or none); return it and its base URL."""
    started: list[Process] = []

    def start(failpoint: str) -> tuple[Process, str]:
        [port] = free_ports(1)
        url = f"http://127.0.0.1:{port}"
        env = {
            **local_env,
            "MONGO_DATABASE": rules_settings.mongo_database,
            "SEAL_KEYS": rules_settings.seal_keys.get_secret_value(),
            "HTTP_PORT": str(port),
            "FAILPOINT": failpoint,
            "FAILPOINTS_ALLOWED": "true",
        }
        command = Command(
            name="rules-api",
            argv=[sys.executable, "-m", "rules", "api"],
            log=tmp_path / "api.log",
            env=env,
            ready_url=f"{url}/readyz",
        )
        process = Process(command)
        started.append(process)
        process.start()
        process.wait_ready()
        return process, url

    yield start
    for process in started:
        process.kill()


async def send(url: str, method: str, path: str, token: str, **more: Any) -> httpx.Response:
    async with httpx.AsyncClient(base_url=url, timeout=20) as http:
        headers = {"Authorization": f"Bearer {token}", "If-Match": "*"}
        return await http.request(method, path, headers=headers, **more)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("change", ["activate", "save", "hold"])
async def test_killed_after_the_write(
    rules_settings: Any,
    run_api: Any,
    api_process: ProcessFactory,
    on_topic: Any,
    states_of: Any,
    eventually: Any,
    unique_name: Callable[[str], str],
    rule_document: Any,
    change: str,
) -> None:
    brand = unique_name("acme")
    async with run_api(rules_settings) as api:
        await api.brand(brand)
        await api.admin.post(f"/v1/brands/{brand}/rules", rule_document(state="active"))
        token = api.admin.token
    rule = f"/v1/brands/{brand}/rules/price-question"
    request: tuple[str, str, dict[str, Any]] = {
        "activate": ("POST", f"{rule}:activate", {}),
        "save": ("PUT", rule, {"json": rule_document(state="active", priority=7)}),
        "hold": ("POST", f"/v1/brands/{brand}/hold", {"json": {"reason": "a storm"}}),
    }[change]
    key = f"brand/{brand}/" if change == "hold" else f"rule/{brand}/price-question"

    process, url = api_process("rules.api.after_write:kill")
    with pytest.raises(httpx.HTTPError):
        await send(url, request[0], request[1], token, **request[2])

    async def killed() -> bool:  # its sockets close a moment before its parent can see the end
        return process.exit_code == -9

    await eventually(killed, "the process was killed")
    assert [found.generation for found in await states_of(key)] == [1], "the kill came after the publication"

    process, url = api_process("")

    async def converged() -> bool:
        return bool((await on_topic(key))[-1].record.generation == 2)

    await eventually(converged, "the saved change is on the topic")
    newest = (await on_topic(key))[-1].record
    assert newest.brand.held if change == "hold" else newest.rule.active
    if change == "save":
        assert (newest.rule.version, b'"priority":7' in newest.rule.document) == (2, True)
        versions = (await send(url, "GET", f"{rule}/versions", token)).json()["items"]
        assert [item["version"] for item in versions] == [2, 1]
    log = (await send(url, "GET", f"/v1/brands/{brand}/audit", token)).json()
    actions = {"activate": "rule.activate", "save": "rule.save", "hold": "brand.hold"}
    assert [entry["action"] for entry in log["items"]] == ["brand.create", "rule.create", actions[change]]
    assert log["intact"] is True
    assert process.stop() == 0

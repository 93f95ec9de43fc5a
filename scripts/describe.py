"""Write what the services say of themselves: `docs/openapi/<service>.json`, and the table of codes in `docs/errors.md`.

`--check` writes nothing and fails when something is stale. Nothing needs to run for it: the applications are only built.
"""

import argparse
import asyncio
import inspect
import json
import sys
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

import ingest.app
import ingest.settings
import metrics.app
import metrics.settings
import publisher.app
import publisher.settings
import rules.app
import rules.settings
from antiphon.codes import CODES

_DOCS = Path(__file__).resolve().parent.parent / "docs"
_SEAL_KEYS = SecretStr("k1:" + "A" * 43 + "=")
_BEGIN, _END = "<!-- codes -->\n", "<!-- end of codes -->\n"


def _services() -> dict[str, AbstractAsyncContextManager[Any]]:
    sealed = {"seal_keys": _SEAL_KEYS}
    return {
        "rules": rules.app.api(rules.settings.RulesApiSettings(**sealed)),
        "publisher": publisher.app.api(publisher.settings.PublisherSettings(**sealed)),
        "ingest": ingest.app.build(ingest.settings.IngestSettings(**sealed)),
        "metrics": metrics.app.build(metrics.settings.MetricsSettings(metrics_person_key=SecretStr("k" * 16))),
    }


async def _descriptions() -> dict[Path, str]:
    found = {}
    for name, building in _services().items():
        async with AsyncExitStack() as stack:
            app, tasks = await stack.enter_async_context(building)
            for task in tasks:
                if inspect.iscoroutine(task):
                    task.close()
            found[_DOCS / "openapi" / f"{name}.json"] = await _described(app)
    return found


async def _described(app: Any) -> str:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as http:
        answer = await http.get("/openapi.json")
    return json.dumps(answer.raise_for_status().json(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _errors(text: str) -> str:
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    rows = [
        f"| `{name}` | {', '.join(map(str, code.statuses))} | {code.meaning} | {code.remedy} |\n" for name, code in CODES.items()
    ]
    return "".join([before, _BEGIN, "| code | status | meaning | what to do |\n|---|---|---|---|\n", *rows, _END, after])


def main() -> int:
    """Write or check; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only tell whether everything is fresh")
    check = parser.parse_args().check
    errors = _DOCS / "errors.md"
    wanted = {**asyncio.run(_descriptions()), errors: _errors(errors.read_text())}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if check:
            print(f"{path.relative_to(_DOCS.parent)} is stale: make openapi", file=sys.stderr)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(wanted[path])
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())

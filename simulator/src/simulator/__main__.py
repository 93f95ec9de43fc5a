"""`python -m simulator --port 8095`."""

import asyncio
import logging

import uvloop

from simulator.app import open_simulator
from simulator.server import listen, make_server
from simulator.settings import Settings

logger = logging.getLogger("simulator")


async def main(settings: Settings) -> None:
    """Serve until told to stop."""
    with listen(settings.host, settings.port) as bound:
        async with open_simulator(settings) as app:
            logger.info("listening on http://%s:%d", settings.host, bound.getsockname()[1])
            await make_server(app).serve(sockets=[bound])


if __name__ == "__main__":
    wanted = Settings(_cli_parse_args=True)
    logging.basicConfig(level=wanted.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(wanted))

"""What a pod runs: `python -m lorekeeper_runtime serve|ingest --config FILE`."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop
from pydantic import ValidationError

from lorekeeper_api.contract.config import RuntimeConfig
from lorekeeper_runtime.errors import LorekeeperError
from lorekeeper_runtime.ingest.progress import Snapshot
from lorekeeper_runtime.wiring import build_app, ingest, open_pipeline, open_store

__all__ = ["main"]

_log = logging.getLogger("lorekeeper")


def load_config(path: str) -> RuntimeConfig:
    """Read a configuration file.

    Raises:
        OSError: It cannot be read.
        pydantic.ValidationError: It is not a configuration.
    """
    return RuntimeConfig.model_validate_json(Path(path).read_bytes())


async def _serve(configs: Sequence[RuntimeConfig], host: str, port: int) -> int:
    import uvicorn

    async with AsyncExitStack() as stack:
        pipelines = []
        for config in configs:
            store = await stack.enter_async_context(open_store(config.store))
            pipelines.append(await stack.enter_async_context(open_pipeline(config, store)))
        server = uvicorn.Server(
            uvicorn.Config(build_app(pipelines), host=host, port=port, log_level="warning", access_log=False)
        )
        await server.serve()
        return 0 if server.started else 1


async def _ingest(configs: Sequence[RuntimeConfig], confirm: frozenset[str]) -> int:
    succeeded = True
    for config in configs:
        async with open_store(config.store) as store, open_pipeline(config, store) as parts:
            report = await ingest(parts, progress=_LogProgress(), confirm_deletion=confirm)
            for run in report.runs:
                _log.info("%s", run)
                succeeded = succeeded and run.outcome == "Succeeded"
    return 0 if succeeded else 1


class _LogProgress:
    """Logs each change of stage."""

    def __init__(self) -> None:
        self._seen: tuple[str, str] | None = None

    def update(self, snapshot: Snapshot) -> None:
        """Log when the source or the stage is another one."""
        seen = (snapshot.source, snapshot.stage)
        if seen != self._seen:
            self._seen = seen
            _log.info("%s: %s", *seen)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="lorekeeper_runtime", description=__doc__)
    parser.add_argument("command", choices=["serve", "ingest"])
    parser.add_argument("--config", action="append", required=True, help="configuration file of a pipeline")
    parser.add_argument("--host", default="0.0.0.0", help="address to serve on")  # noqa: S104 - a pod serves its network
    parser.add_argument("--port", type=int, default=8080, help="port to serve on")
    parser.add_argument("--confirm-deletion", action="append", default=[], metavar="SOURCE")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=os.environ.get("LOREKEEPER_LOG_LEVEL", "INFO"), stream=sys.stderr)
    try:
        configs = [load_config(path) for path in options.config]
        if options.command == "serve":
            return uvloop.run(_serve(configs, options.host, options.port))
        return uvloop.run(_ingest(configs, frozenset(options.confirm_deletion)))
    except (LorekeeperError, OSError, ValidationError) as error:
        _log.error("%s", error)
        return 1


if __name__ == "__main__":
    sys.exit(main())

"""Lorekeeper's whole ingestion over a folder, as a worker pod runs it: list, diff, fetch, parse, chunk, embed, upsert,
document records, promotion.
"""

import cProfile
import os
import time
from importlib import import_module

import uvloop

from bench.peers.measured import Clock, read_arguments
from bench.settings import make_config
from lorekeeper_api.contract.config import RuntimeConfig
from lorekeeper_api.contract.records import RunRecord
from lorekeeper_runtime.ingest.progress import Snapshot
from lorekeeper_runtime.wiring import ingest, open_pipeline, open_store, resolve_embedding

__all__: list[str] = []

# What the wiring imports when it is first needed; it is imported before the clock starts, like the peers' packages.
_NEEDED = ("ingest.pipeline", "models.openai", "sources", "sources.volume", "stores.qdrant")


class _Silent:
    def __init__(self) -> None:
        self.bytes = 0

    def update(self, snapshot: Snapshot) -> None:
        self.bytes = snapshot.bytes


async def _ingest(config: RuntimeConfig, progress: _Silent) -> RunRecord:
    await resolve_embedding(config.revisions[config.target].embedding)
    async with open_store(config.store) as store, open_pipeline(config, store) as parts:
        report = await ingest(parts, progress=progress)
    if report.failed:
        raise SystemExit("\n".join(f"{record.document}: {record.message}" for record in report.failed[:20]))
    run = report.runs[0]
    if run.outcome != "Succeeded":
        raise SystemExit(f"{run.outcome} {run.code}: {run.message}")
    return run


def main() -> None:
    """Ingest once and print the figures; PROFILE in the environment names a file for a cProfile of the process."""
    arguments = read_arguments()
    config = make_config(
        folder=arguments["folder"],
        models=arguments["models"],
        qdrant=arguments["qdrant"],
        mode=arguments["mode"],
        size=int(arguments["size"]),
        overlap=int(arguments["overlap"]),
    )
    progress = _Silent()
    profile = cProfile.Profile(time.process_time) if os.environ.get("PROFILE") else None
    for name in _NEEDED:
        import_module(f"lorekeeper_runtime.{name}")
    clock = Clock()
    if profile:
        profile.enable()
    run = uvloop.run(_ingest(config, progress))
    if profile:
        profile.disable()
        profile.dump_stats(os.environ["PROFILE"])
    clock.report(documents=run.listed, chunks=run.chunks_written, size=progress.bytes, packages=("lorekeeper",))


if __name__ == "__main__":
    main()

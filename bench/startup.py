"""What a person waits for and what a pod costs: the command's help, the import of the service, its memory."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.corpus import Corpus
from bench.figures import Goal, Spread, spread_of
from bench.ingest import ours
from bench.paths import CACHE, REPOSITORY
from bench.processes import Stubs, run_program
from bench.settings import make_config

__all__ = ["Startup", "measure_startup"]

REQUESTS = 100
DEADLINE_SECONDS = 60.0
_IMPORT = (
    "import time; w, c = time.perf_counter(), time.process_time(); import lorekeeper_runtime.query.app; "
    "print(time.perf_counter() - w, time.process_time() - c)"
)


@dataclass(frozen=True, slots=True)
class Startup:
    """Seconds and MiB."""

    help_wall: Spread
    help_cpu: Spread
    import_wall: Spread
    import_cpu: Spread
    ready_wall: float
    """From the start of the process to the first answer of /readyz that says ready."""
    idle_pss: float
    pss: float
    """After REQUESTS questions."""
    request_cpu_ms: float
    """CPU of the service for one question, the language model's 64 tokens included."""

    def goals(self) -> list[Goal]:
        """What is promised."""
        return [
            Goal("lorekeeper --help, wall", self.help_wall.median, 0.3, at_least=False, unit=" s"),
            Goal("import of the query service, wall", self.import_wall.median, 1.0, at_least=False, unit=" s"),
            Goal(f"PSS of the query service after {REQUESTS} questions", self.pss, 64, at_least=False, unit=" MiB"),
        ]


def measure_startup(corpus: Corpus, stubs: Stubs, *, repeats: int) -> Startup:
    """Measure all of it; the service runs against the stubs, with a corpus ingested."""
    command = Path(sys.executable).with_name("lorekeeper")
    helps = [_run_timed([str(command), "--help"]) for _ in range(repeats)]
    imports = [_import_timed() for _ in range(repeats)]
    stubs.clear()
    run_program(ours("Hybrid"), {"folder": corpus.folder, "models": stubs.models, "qdrant": stubs.qdrant})
    config = make_config(folder=corpus.folder, models=stubs.models, qdrant=stubs.qdrant)
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / "serve.json"
    path.write_text(config.model_dump_json(by_alias=True))
    started = time.perf_counter()
    with _serve(path) as (process, port):
        _wait_until(lambda: _status(port, "/readyz") == 200, process, "the query service is not ready")
        ready = time.perf_counter() - started
        idle = _pss(process.pid)
        _ask(port, 1)
        before = _cpu(process.pid)
        _ask(port, REQUESTS)
        spent = _cpu(process.pid) - before
        return Startup(
            help_wall=spread_of([wall for wall, _ in helps]),
            help_cpu=spread_of([cpu for _, cpu in helps]),
            import_wall=spread_of([wall for wall, _ in imports]),
            import_cpu=spread_of([cpu for _, cpu in imports]),
            ready_wall=ready,
            idle_pss=idle,
            pss=_pss(process.pid),
            request_cpu_ms=spent / REQUESTS * 1000,
        )


def _run_timed(command: list[str]) -> tuple[float, float]:
    """Wall and CPU seconds of a command."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.stderr is not None
    with process.stderr as stderr:
        if process.returncode != 0:
            raise RuntimeError(f"{command[0]} --help failed: {stderr.read().decode()[-500:]}")
    return wall, usage.ru_utime + usage.ru_stime


def _import_timed() -> tuple[float, float]:
    result = subprocess.run(
        [sys.executable, "-c", _IMPORT], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise RuntimeError(f"The query service cannot be imported: {result.stderr[-500:]}")
    wall, cpu = result.stdout.split()
    return float(wall), float(cpu)


@contextmanager
def _serve(config: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "lorekeeper_runtime", "serve", "--config", str(config)]
    log = CACHE / "serve.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)], cwd=REPOSITORY, stdout=output, stderr=output
        ) as process,
    ):
        try:
            yield process, port
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until(condition: Callable[[], bool], process: subprocess.Popen[bytes], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{what}: see {CACHE / 'serve.log'}.")
        time.sleep(0.02)


def _status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def _ask(port: int, times: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for number in range(times):
        body = json.dumps({"question": f"What does option number {number} do?"})
        connection.request("POST", "/v1/query", body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        content = reply.read()
        if reply.status != 200 or not json.loads(content).get("answer"):
            raise RuntimeError(f"The query service answered {reply.status}: {content[:300].decode()}")
    connection.close()


def _pss(pid: int) -> float:
    """Proportional set size in MiB: memory of its own, and its share of what it has in common with others."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("The kernel does not tell the proportional set size.")


def _cpu(pid: int) -> float:
    """CPU seconds of all threads of a process so far, from the scheduler's own count in nanoseconds."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

"""A real cluster, the one that KUBECONFIG names: kubectl as people use it, and the API server's own answers.

The answers are asked for through `kubectl proxy`, which knows every way to log in that a kubeconfig can name.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

__all__ = ["TIMEOUT_SECONDS", "Cluster", "open_cluster", "until"]

TIMEOUT_SECONDS = 60


@dataclass
class Cluster:
    http: httpx.Client
    """Asks the API server; addresses begin with `/api` or `/apis`."""
    kubectl_cache: Path
    """A cache of our own, so that kubectl remembers nothing of an earlier cluster."""

    def run_kubectl(self, *arguments: str | Path) -> str:
        """What kubectl prints.

        Raises:
            AssertionError: It ended with an error.
        """
        done = subprocess.run(
            ["kubectl", f"--cache-dir={self.kubectl_cache}", *arguments],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"kubectl {' '.join(map(str, arguments))}: {done.stderr}"
        return done.stdout


@contextmanager
def open_cluster() -> Iterator[Cluster]:
    """Give the cluster that KUBECONFIG names.

    Raises:
        RuntimeError: KUBECONFIG is not set, there is no kubectl, or the cluster does not answer.
    """
    # Never the default file: nobody's cluster is tested by mistake.
    if not os.environ.get("KUBECONFIG"):
        raise RuntimeError("these tests change a cluster: set KUBECONFIG to the file of one that is meant for tests")
    if shutil.which("kubectl") is None:
        raise RuntimeError("these tests need kubectl on the PATH")
    # A socket in a private folder: whoever reaches the proxy has all the rights of the kubeconfig.
    with tempfile.TemporaryDirectory(prefix="lorekeeper-") as folder:
        socket, log = Path(folder, "api"), Path(folder, "log")
        with log.open("w") as errors:
            proxy = subprocess.Popen(
                ["kubectl", "proxy", f"--unix-socket={socket}"], stdout=subprocess.DEVNULL, stderr=errors
            )
        transport = httpx.HTTPTransport(uds=str(socket))
        try:
            until(lambda: socket.exists() or proxy.poll() is not None, "kubectl proxy listens")
            if proxy.poll() is not None:
                raise RuntimeError(f"kubectl proxy did not start: {log.read_text()}")
            with httpx.Client(transport=transport, base_url="http://localhost", timeout=TIMEOUT_SECONDS) as http:
                if (reply := http.get("/readyz")).status_code != 200:
                    raise RuntimeError(f"the cluster is not ready: {reply.status_code} {reply.text}")
                yield Cluster(http, Path(folder, "kubectl"))
        finally:
            proxy.terminate()
            proxy.wait(TIMEOUT_SECONDS)


def until(condition: Callable[[], bool], what: str, seconds: float = TIMEOUT_SECONDS) -> None:
    """Wait until something holds.

    Raises:
        AssertionError: The time is over.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)

"""The command line itself, in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lorekeeper_api import __version__
from lorekeeper_cli.exits import Exit

HEAVY = ("pydantic", "rich", "aiohttp", "fastapi", "uvicorn", "yaml", "onnxruntime", "numpy", "asyncio", "orjson")


def lorekeeper(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lorekeeper_cli", *arguments],
        check=False,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom lorekeeper_cli.__main__ import main\nsys.argv = ['lorekeeper', '--help']\n"
        f"try:\n    main()\nfinally:\n    print('loaded', [name for name in {HEAVY!r} if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
    assert "loaded []" in done.stdout
    assert "Exit codes: 0 done" in " ".join(done.stdout.split())


@pytest.mark.parametrize("command", ["run", "ingest", "ask", "search", "check", "version"])
def test_each_command_explains_itself(command: str) -> None:
    done = lorekeeper(command, "--help")

    assert done.returncode == 0
    assert "Exit codes" in done.stdout


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["run", "--port", "x"], ["search", "--top-k", "51", "q"], ["ask"], ["check"]]
)
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    done = lorekeeper(*arguments)

    assert done.returncode == Exit.USAGE
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_version_for_machines() -> None:
    done = lorekeeper("version", "--json")

    assert json.loads(done.stdout)["lorekeeper"] == __version__


def test_check_reads_standard_input() -> None:
    done = lorekeeper("check", "-f", "-", stdin="apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n")

    assert done.returncode == Exit.MISTAKES
    assert done.stdout == "-:3: metadata.name: is missing\n"


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        "".join(f"apiVersion: v1\nkind: Secret\nmetadata: {{name: n{n}}}\ndata: 1\n---\n" for n in range(3000))
    )

    done = subprocess.run(
        f"{sys.executable} -m lorekeeper_cli check -f {path} | head -1",
        check=False,
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert "data: must hold keys" in done.stdout
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_ask_without_a_server_says_what_to_do(tmp_path: Path) -> None:
    done = lorekeeper("ask", "--home", str(tmp_path / "none"), "what?")

    assert done.returncode == Exit.MISTAKES
    assert "lorekeeper run -f FILE" in done.stderr
    assert not (tmp_path / "none").exists()


def test_version_as_an_option() -> None:
    done = lorekeeper("--version")

    assert done.returncode == 0
    assert done.stdout == f"lorekeeper {__version__}\n"


def test_ctrl_c_during_the_imports_is_one_line(tmp_path: Path) -> None:
    # A module that stands in for typer holds up the import, as a slow disk does.
    (tmp_path / "typer.py").write_text("print('importing', flush=True)\nimport time\ntime.sleep(60)\n")
    with subprocess.Popen(
        [sys.executable, "-m", "lorekeeper_cli", "--help"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)

    assert said == "Interrupted.\n"
    assert process.returncode == Exit.INTERRUPTED


@pytest.mark.parametrize("command", ["ask", "search"])
@pytest.mark.parametrize("arguments", [[b"Gr\xf6\xdfe?"], [b"q", b"--pipeline", b"\xf6"], [b"-f", b"x", b"\xf6"]])
def test_bytes_that_are_no_text_are_wrong_usage(command: str, arguments: list[bytes]) -> None:
    done = subprocess.run(
        [sys.executable.encode(), b"-m", b"lorekeeper_cli", command.encode(), *arguments],
        check=False,
        capture_output=True,
        timeout=60,
    )

    assert done.returncode == Exit.USAGE
    assert b"not UTF-8" in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("command", [["check"], ["ingest"], ["ask", "q"]])
def test_an_empty_file_name_is_wrong_usage(command: list[str]) -> None:
    done = lorekeeper(*command, "-f", "")

    assert done.returncode == Exit.USAGE
    assert "-f is empty" in done.stderr

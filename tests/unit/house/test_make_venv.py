"""The script that makes the environment, with stand-ins for the interpreters that a machine may have."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CHECKS_VERSION, CHECKS_VENV, MAKES = "version_info[:2] <=", "import venv, ensurepip", "-m"


def make_interpreter(folder: Path, name: str, *, version: str, supported: bool, venv: bool = True) -> None:
    """An interpreter that answers what the script asks, and makes an environment that says who made it."""
    script = folder / name
    script.write_text(
        "#!/bin/sh\n"
        'case "$2" in\n'
        f"  *'{CHECKS_VERSION}'*) exit {0 if supported else 1} ;;\n"
        f"  *'{CHECKS_VENV}'*) exit {0 if venv else 1} ;;\n"
        f"  *print*) echo {version} ;;\n"
        f'  venv) mkdir -p "$4/bin"; printf "#!/bin/sh\\necho made by {name}\\n" > "$4/bin/python"; '
        'chmod +x "$4/bin/python" ;;\n'
        "  *) exit 9 ;;\n"
        "esac\n",
        encoding="utf-8",
    )
    script.chmod(0o755)


def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(ROOT / "scripts" / "make_venv.sh"), str(folder / "venv")],
        env={"PATH": f"{folder}:/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    # The machine's own interpreters are no part of the test: this folder comes first, with every name they could have.
    for name in ("python3.13", "python3.12", "python3.11", "python3", "python"):
        make_interpreter(tmp_path, name, version="3.9", supported=False)
    return tmp_path


def test_the_newest_supported_interpreter_is_taken(folder: Path) -> None:
    make_interpreter(folder, "python3.12", version="3.12", supported=True)
    make_interpreter(folder, "python3.11", version="3.11", supported=True)
    done = run(folder)
    assert done.returncode == 0, done.stderr
    assert "made by python3.12" in done.stdout


def test_a_shim_that_only_has_the_name_is_passed_over(folder: Path) -> None:
    shim = folder / "python3.13"
    shim.write_text("#!/bin/sh\necho 'not switched on' >&2\nexit 127\n", encoding="utf-8")
    make_interpreter(folder, "python3", version="3.11", supported=True)
    done = run(folder)
    assert done.returncode == 0, done.stderr
    assert "made by python3" in done.stdout
    assert "switched on" not in done.stderr


def test_a_named_interpreter_is_the_only_one_that_is_tried(folder: Path) -> None:
    make_interpreter(folder, "python3.12", version="3.12", supported=True)
    done = run(folder, PYTHON=str(folder / "python3.11"))
    assert done.returncode == 1
    assert "PYTHON=/path/to/python" in done.stderr
    assert not (folder / "venv").exists()


def test_without_a_supported_interpreter_one_line_says_what_to_do(folder: Path) -> None:
    done = run(folder)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "No Python 3.11, 3.12 or 3.13 was found" in done.stderr


def test_an_interpreter_without_ensurepip_names_the_package_to_install(folder: Path) -> None:
    make_interpreter(folder, "python3", version="3.11", supported=True, venv=False)
    done = run(folder)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "apt install python3.11-venv" in done.stderr

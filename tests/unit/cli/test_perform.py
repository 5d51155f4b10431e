import errno
import json
import logging

import pytest

from lorekeeper_cli.exits import EPILOG, Exit
from lorekeeper_cli.failure import CommandError
from lorekeeper_cli.perform import perform
from lorekeeper_runtime.errors import LorekeeperError, ProviderError, SourceError, StoreError


@pytest.fixture(autouse=True)
def _restore_logging(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    monkeypatch.setattr(root, "level", root.level)


def fail(error: BaseException) -> Exit:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (CommandError("Do this."), Exit.MISTAKES, "Error: Do this."),
        (CommandError("Away.", exit_code=Exit.UNAVAILABLE), Exit.UNAVAILABLE, "Error: Away."),
        (ProviderError("No Ollama."), Exit.UNAVAILABLE, "Error: No Ollama."),
        (StoreError("No store."), Exit.UNAVAILABLE, "Error: No store."),
        (SourceError("No source.", code="SourceNotFound"), Exit.UNAVAILABLE, "Error: No source."),
        (LorekeeperError("Odd."), Exit.MISTAKES, "Error: Odd."),
        (OSError(errno.ENOSPC, "x", "/a/b"), Exit.MISTAKES, "Error: /a/b: the disk is full; make room and run again."),
        (OSError(errno.EACCES, "x", "/a"), Exit.MISTAKES, "Error: /a: permission denied; change its permissions"),
        (OSError(errno.EIO, "Input/output error", "/a"), Exit.MISTAKES, "Error: /a: input/output error."),
        (ModuleNotFoundError("x", name="onnxruntime"), Exit.MISTAKES, "Error: onnxruntime is not installed: pip inst"),
        (KeyboardInterrupt(), Exit.INTERRUPTED, "Interrupted."),
        (ValueError("secret"), Exit.INTERNAL, "Error: lorekeeper met a fault of its own (ValueError); run again with"),
    ],
)
def test_each_end_has_a_line_and_a_code(
    error: BaseException, code: Exit, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert perform(lambda: fail(error), verbose=False) is code

    seen = capsys.readouterr()
    assert seen.err.startswith(line)
    assert seen.err.count("\n") == 1
    assert "Traceback" not in seen.err
    assert "secret" not in seen.err
    assert not seen.out


def test_verbose_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert perform(lambda: fail(ValueError("x")), verbose=True) is Exit.INTERNAL

    assert "Traceback" in capsys.readouterr().err


def test_lines_come_before_the_message(capsys: pytest.CaptureFixture[str]) -> None:
    perform(lambda: fail(CommandError("2 mistakes.", lines=["a:1: x", "a:2: y"])), verbose=False)

    assert capsys.readouterr().err == "a:1: x\na:2: y\nError: 2 mistakes.\n"


def test_a_logged_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> Exit:
        log = logging.getLogger("lorekeeper_runtime.x")
        log.warning("not shown")
        try:
            fail(ValueError("secret"))
        except ValueError:
            log.exception("shown")
        return Exit.OK

    assert perform(work, verbose=False) is Exit.OK
    assert capsys.readouterr().err.strip() == "ERROR: shown"


def test_help_names_every_code() -> None:
    for code in Exit:
        assert f" {code.value} " in EPILOG


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (CommandError("Do.", lines=["a", "b"]), {"code": "CommandFailed", "message": "Do.", "details": ["a", "b"]}),
        (CommandError("Do.", code="Odd"), {"code": "Odd", "message": "Do."}),
        (ProviderError("Away.", code="ProviderUnavailable"), {"code": "ProviderUnavailable", "message": "Away."}),
        (OSError(errno.EIO, "Broken", "/a"), {"code": "CommandFailed", "message": "/a: broken."}),
    ],
)
def test_an_error_is_json_too(
    error: Exception, expected: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    perform(lambda: fail(error), verbose=False, as_json=True)

    seen = capsys.readouterr()
    assert json.loads(seen.out) == {"error": expected}
    assert "Error: " in seen.err

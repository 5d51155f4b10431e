"""`make demo`: asks the handbook of examples/quickstart with embedded parts, and checks what comes back.

Two questions are in the handbook and one is not. The demo fails when an answer is not what the handbook says, when its
citation does not hold it, or when the third question gets anything but an honest "not in the sources". ASK in the
environment is asked instead of the three, and whatever comes back is shown.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorekeeper_cli.render import render_answer

__all__ = ["QUESTIONS", "DemoError", "DemoQuestion", "check_reply", "main"]

ROOT = Path(__file__).resolve().parent.parent
MANIFESTS = "examples/quickstart"
HOME = ".cache/demo/.lorekeeper"


@dataclass(frozen=True, slots=True)
class DemoQuestion:
    """A question with what has to come back."""

    text: str
    expected: str | None
    """Words that the answer and a passage that it cites both hold; None when the handbook does not say."""


QUESTIONS = (
    DemoQuestion("What happens when a run is killed in the middle?", "the next run finishes the work"),
    DemoQuestion("What is the default chunk size?", "1000 characters"),
    DemoQuestion("Who won the football World Cup in 2018?", None),
)


class DemoError(Exception):
    """The demo did not show what it promises."""


def check_reply(question: DemoQuestion, reply: Mapping[str, Any]) -> None:
    """Compare a reply of `lorekeeper ask --json` with what is expected.

    Raises:
        DemoError: It is another one.
    """
    if question.expected is None:
        if reply["answered"]:
            raise DemoError(f"The handbook does not answer {question.text!r}, and yet there is an answer.")
        return
    if not reply["answered"]:
        raise DemoError(f"The handbook answers {question.text!r}, and yet there is no answer.")
    if question.expected not in _squeeze(reply["answer"]):
        raise DemoError(f"The answer to {question.text!r} does not say {question.expected!r}.")
    quotes = [_squeeze(citation["quote"]) for citation in reply["citations"] if citation["cited"]]
    if not any(question.expected in quote for quote in quotes):
        raise DemoError(f"No passage that the answer to {question.text!r} cites says {question.expected!r}.")


def _squeeze(text: str) -> str:
    """The text without line breaks and citation marks."""
    return " ".join(re.sub(r"\s*\[\d+\]", "", text).split())


def ask(text: str, *, home: str, notes: bool) -> dict[str, Any]:
    """Ask by the command that a person would type.

    Args:
        text: The question.
        home: Folder that the command keeps its data in.
        notes: Whether notes and progress of the command are shown while it works; otherwise only when it fails.

    Raises:
        DemoError: The command failed; it has said why.
    """
    command = ["ask", "-f", MANIFESTS, "--embedded", "--home", home, "--json", "--", text]
    done = subprocess.run(  # noqa: S603 - our own command; the question is one argument and no shell sees it
        [sys.executable, "-m", "lorekeeper_cli", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=None if notes else subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.stderr.write(done.stderr or "")
        raise DemoError(f"lorekeeper ask ended with exit code {done.returncode}.")
    reply: dict[str, Any] = json.loads(done.stdout)
    return reply


def _show(text: str, lines: Sequence[str]) -> None:
    sys.stdout.write(f"\nQ: {text}\n\n" + "".join(f"   {line}\n" if line else "\n" for line in lines))
    sys.stdout.flush()


def _find_mistake(asked: str) -> str | None:
    """What is wrong with a question of one's own; an empty one is none, as when make is given no ASK."""
    if asked and not asked.strip():
        return 'ASK is blank: write a question, make demo ASK="...", or leave it out.'
    try:
        asked.encode()
    except UnicodeEncodeError:
        return "ASK holds bytes that are not UTF-8 text: type it in a terminal that uses UTF-8."
    return None


def main(home: str = HOME) -> int:
    """Run the demo and return the exit code."""
    started = time.monotonic()
    asked = os.environ.get("ASK", "")
    if mistake := _find_mistake(asked):
        sys.stderr.write(f"{mistake}\n")
        return 2
    questions = (DemoQuestion(asked, None),) if asked else QUESTIONS
    sys.stdout.write(f"Asking {MANIFESTS} with embedded parts; data is kept in {home}.\n")
    sys.stdout.flush()
    try:
        for number, question in enumerate(questions):
            # The first one takes the handbook in; the others would only say again what was replaced.
            reply = ask(question.text, home=home, notes=number == 0)
            _show(question.text, list(render_answer(reply)))
            if not asked:
                check_reply(question, reply)
    except DemoError as error:
        sys.stderr.write(f"\nThe demo failed: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    sys.stdout.write(f"\nDone in {time.monotonic() - started:.0f} s.")
    if not asked:
        sys.stdout.write(' Ask your own question: make demo ASK="..."')
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

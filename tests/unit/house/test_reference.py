"""The pages on the command line and on the HTTP API name everything that there is."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

from lorekeeper_cli.commands import app
from lorekeeper_cli.exits import Exit
from lorekeeper_runtime.query.app import create_app, render_openapi

ROOT = Path(__file__).resolve().parents[3]
LAPTOP = (ROOT / "docs" / "laptop.md").read_text(encoding="utf-8")
HTTP = (ROOT / "docs" / "api-http.md").read_text(encoding="utf-8")


def commands() -> dict[str, Any]:
    # Typer brings a Click of its own, so that Click's classes are no use here.
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


def options_of(command: Any) -> set[str]:
    return {
        option for parameter in command.params if parameter.param_type_name == "option" for option in parameter.opts
    }


@pytest.mark.parametrize("name", sorted(commands()))
def test_the_page_has_every_command_with_its_options(name: str) -> None:
    assert re.search(rf"^### `lorekeeper {name}\b", LAPTOP, re.MULTILINE)
    assert (
        sorted(option for option in options_of(commands()[name]) - {"--help", "-h"} if f"`{option}" not in LAPTOP) == []
    )


def test_the_page_names_no_option_that_is_not_there() -> None:
    options = {option for command in commands().values() for option in options_of(command)}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", LAPTOP))
    assert sorted(named - options) == []


def test_the_page_has_every_exit_code() -> None:
    table = LAPTOP.split("## Exit codes", maxsplit=1)[1]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == sorted(Exit)


def test_the_page_has_every_route_with_a_line_to_try_it() -> None:
    document = render_openapi(create_app({}, version=""))
    routes = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    assert routes
    listed = set(re.findall(r"^\| `((?:GET|POST) /\S+)` \|", HTTP, re.MULTILINE))
    assert listed == routes | {"GET /openapi.json"}
    tried = set(re.findall(r"curl -sN? http://127\.0\.0\.1:8080(/\S+)", HTTP))
    assert tried == {route.split(" ")[1].replace("{name}", "lorekeeper") for route in listed}

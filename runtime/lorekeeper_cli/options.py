"""Options that several commands share."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "EmbeddedOption",
    "FilesOption",
    "HomeOption",
    "JsonOption",
    "Options",
    "PipelineOption",
    "SecretsOption",
    "VerboseOption",
    "VolumesOption",
]

FilesOption = Annotated[
    list[str] | None,
    typer.Option(
        "-f", "--file", metavar="FILE", help="File or folder of manifests, or - for standard input; may be repeated."
    ),
]
HomeOption = Annotated[Path, typer.Option("--home", metavar="FOLDER", help="Where everything is kept.")]
EmbeddedOption = Annotated[
    bool, typer.Option("--embedded", help="Replace every remote model and store by one inside the process.")
]
SecretsOption = Annotated[
    list[str] | None,
    typer.Option("--secret", metavar="NAME=PATH", help="A Secret: NAME=FILE, NAME=FOLDER or NAME/KEY=FILE."),
]
VolumesOption = Annotated[
    list[str] | None,
    typer.Option("--volume", metavar="CLAIM=FOLDER", help="The folder that stands for a PersistentVolumeClaim."),
]
PipelineOption = Annotated[
    str | None, typer.Option("--pipeline", metavar="NAME", help="The pipeline to ask, when there are several.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", help="Show logs, and tracebacks of errors.")]


@dataclass(frozen=True, slots=True)
class Options:
    """What a command that opens pipelines was given."""

    files: list[str] = field(default_factory=list)
    home: Path = Path(".lorekeeper")
    embedded: bool = False
    secrets: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
    pipeline: str | None = None

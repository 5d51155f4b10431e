"""Finds every mistake of the manifests at once: of the text, of each object, and between objects."""

import base64
import binascii
from collections.abc import Iterator

from lorekeeper_cli.documents import FieldPath
from lorekeeper_cli.exits import Exit
from lorekeeper_cli.failure import CommandError
from lorekeeper_cli.given import Given, parse_given
from lorekeeper_cli.manifests import PLAIN_KINDS, Manifest, Manifests, Mistake, load_manifests
from lorekeeper_cli.options import Options
from lorekeeper_cli.output import note, write, write_json
from lorekeeper_cli.references import Reference, find_references

__all__ = ["check_files", "find_mistakes", "load_checked", "note_ignored"]


def check_files(options: Options, *, as_json: bool) -> Exit:
    """Do `lorekeeper check`: show every mistake, or what was found to be right."""
    manifests = _load(options)
    given = parse_given(options.secrets, options.volumes)
    mistakes = find_mistakes(manifests, given, embedded=options.embedded)
    _note_unused(manifests, given)
    if as_json:
        write_json(
            {
                "mistakes": [
                    {"file": found.file, "line": found.line or None, "field": found.path, "message": found.message}
                    for found in mistakes
                ],
                "objects": [f"{item.kind}/{item.name}" for item in manifests.items],
                "ignored": manifests.ignored,
            }
        )
    else:
        note_ignored(manifests)
        for mistake in mistakes:
            write(mistake.text())
        if mistakes:
            note(_count(mistakes))
        else:
            write(f"{len(manifests.items)} objects, no mistakes")
    return Exit.MISTAKES if mistakes else Exit.OK


def load_checked(options: Options) -> tuple[Manifests, Given]:
    """Read the manifests of a command that needs them without mistakes.

    Raises:
        CommandError: There are mistakes; all of them are its lines.
    """
    manifests = _load(options)
    given = parse_given(options.secrets, options.volumes)
    mistakes = find_mistakes(manifests, given, embedded=options.embedded)
    _note_unused(manifests, given)
    if mistakes:
        raise CommandError(_count(mistakes), lines=[mistake.text() for mistake in mistakes])
    return manifests, given


def note_ignored(manifests: Manifests) -> None:
    """Say once which objects are of no use here."""
    if manifests.ignored:
        note(f"Not used by Lorekeeper: {', '.join(manifests.ignored)}")


def _load(options: Options) -> Manifests:
    if not options.files:
        raise CommandError("Say which manifests: -f FILE, -f FOLDER or -f - for standard input.", exit_code=Exit.USAGE)
    if not all(place.strip() for place in options.files):
        raise CommandError("-f is empty: give it a file, a folder or - for standard input.", exit_code=Exit.USAGE)
    return load_manifests(options.files)


def _note_unused(manifests: Manifests, given: Given) -> None:
    """Say which folders were given for claims that no source names: one of the names is likely misspelled."""
    named = sorted(
        {
            reference.name
            for manifest in manifests.items
            for reference in find_references(manifest)
            if reference.kind == "PersistentVolumeClaim"
        }
    )
    for claim, _ in given.volumes:
        if claim not in named:
            known = f"they name {', '.join(named)}" if named else "they name none"
            note(f"--volume {claim}: no source of the manifests names this claim; {known}")


def _count(mistakes: list[Mistake]) -> str:
    return "1 mistake in the manifests." if len(mistakes) == 1 else f"{len(mistakes)} mistakes in the manifests."


def find_mistakes(manifests: Manifests, given: Given, *, embedded: bool) -> list[Mistake]:
    """Return every mistake, sorted by file and line.

    Args:
        manifests: What was read.
        given: Secrets and volumes of the command line.
        embedded: Whether remote parts are replaced: their Secrets are then not needed.
    """
    mistakes = list(manifests.mistakes)
    for manifest in manifests.items:
        mistakes += _object_mistakes(manifest)
        for reference in find_references(manifest):
            if not (embedded and reference.remote):
                mistakes += _reference_mistakes(manifest, reference, manifests, given)
    mistakes += _duplicates(manifests)
    return sorted(set(mistakes))


def _object_mistakes(manifest: Manifest) -> Iterator[Mistake]:
    if manifest.kind not in PLAIN_KINDS:
        from lorekeeper_api.validation import validate_resource

        for mistake in validate_resource(manifest.body):
            yield manifest.mistake(mistake.path, mistake.message)
        return
    if not manifest.name:
        yield manifest.mistake(("metadata", "name"), "is missing")
    yield from _data_mistakes(manifest)


def _data_mistakes(manifest: Manifest) -> Iterator[Mistake]:
    plain, encoded = ("data", "binaryData") if manifest.kind == "ConfigMap" else ("stringData", "data")
    for field in (plain, encoded):
        entries = manifest.body.get(field)
        if entries is None:
            continue
        if not isinstance(entries, dict):
            yield manifest.mistake((field,), "must hold keys with their texts")
            continue
        for key, value in entries.items():
            path: FieldPath = (field, key)
            if not _is_file_name(key):
                yield manifest.mistake(path, "a key may only hold letters, digits, '-', '_' and '.'")
            if not isinstance(value, str):
                yield manifest.mistake(path, "must be text; put it in quotes")
            elif field == encoded and not _is_base64(value):
                hint = "; plain text belongs in stringData" if manifest.kind == "Secret" else ""
                yield manifest.mistake(path, f"must be base64{hint}")


def _reference_mistakes(
    manifest: Manifest, reference: Reference, manifests: Manifests, given: Given
) -> Iterator[Mistake]:
    name = reference.name
    match reference.kind:
        case "KnowledgeSource" | "ConfigMap" as kind:
            if manifests.find(kind, manifest.namespace, name) is None:
                yield manifest.mistake(
                    reference.path,
                    f"no {kind} {name} of namespace {manifest.namespace} is in the files; add its file with -f",
                )
        case "Secret":
            yield from _secret_mistakes(manifest, reference, manifests, given)
        case _:
            if given.find_volume(name) is None:
                yield manifest.mistake(
                    reference.path,
                    f"no folder stands for the claim {name}; give it with --volume {name}=FOLDER",
                )


def _secret_mistakes(manifest: Manifest, reference: Reference, manifests: Manifests, given: Given) -> Iterator[Mistake]:
    name, key = reference.name, reference.key
    if key is not None and given.find_secret_file(name, key) is not None:
        return
    secret = manifests.find("Secret", manifest.namespace, name)
    if secret is None and not given.has_secret(name):
        yield manifest.mistake(
            reference.path,
            f"no Secret {name} of namespace {manifest.namespace} is in the files; "
            f"add its file with -f or give it with --secret {name}=FILE",
        )
        return
    keys: set[str] = set()
    for field in ("data", "stringData"):
        entries = secret.body.get(field) if secret is not None else None
        keys |= entries.keys() if isinstance(entries, dict) else set()
    if key not in keys:
        yield manifest.mistake(
            reference.path,
            f"the Secret {name} has no key {key}; add it, or give it with --secret {name}/{key}=FILE",
        )


def _duplicates(manifests: Manifests) -> Iterator[Mistake]:
    seen: dict[tuple[str, str, str], Manifest] = {}
    pipelines: dict[str, Manifest] = {}
    for manifest in manifests.items:
        if not manifest.name:
            continue
        first = seen.setdefault(manifest.key, manifest)
        path: FieldPath = ("metadata", "name")
        if first is not manifest:
            where = f"{first.file}:{first.line_of(path)}"
            yield manifest.mistake(path, f"{manifest.kind} {manifest.name} is also in {where}; keep one of them")
        elif manifest.kind == "RAGPipeline":
            other = pipelines.setdefault(manifest.name, manifest)
            if other is not manifest:
                yield manifest.mistake(
                    path,
                    f"the pipeline {manifest.name} is also in namespace {other.namespace}; clients ask by name, so "
                    "rename one or give them to two commands",
                )


def _is_file_name(key: str) -> bool:
    return key not in {"", ".", ".."} and all(letter.isalnum() or letter in "-_." for letter in key) and key.isascii()


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True

"""`lorekeeper check` and a real API server refuse the same: every field of the spec with many odd values."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from lorekeeper_api.names import GROUP, KINDS, VERSION, Kind
from lorekeeper_api.validation import format_path, validate_resource
from tests.e2e.cluster import Cluster
from tests.unit.api.full_document import load_part
from tests.unit.api.given import BROKEN_BY_HAND, JUST_RIGHT, build_resource

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("definitions")]

Resource = dict[str, Any]
Path = tuple[str | int, ...]

BEYOND_THE_SERVER = ("must come true one day", "is not a known time zone")
"""What only `check` and the operator can tell."""

# fmt: off
TEXTS = [
    "", "a", "A", " a", "a ", "a b", "a\n", "\na", "a\x00b", "a\x0bb", "\x1f", "a\x7f", "\x85", "a\u00a0b",
    "a\u2028b", "é", "ß.md", "日本語", "é" * 64, "😀" * 256, "😀" * 257, "a" * 40, "a" * 41, "a" * 63, "a" * 64,
    "a" * 253, "a" * 254, "a" * 257, "日" * 1024, "a" * 1025, "-a", "a.", "a..b", "..", "../a", "a/../b", "./a",
    "a/./b", "a//b", "/a", "a/", "\\a", "a\\b", "!a", "a/!b", "**", "{a,b}", "a{b", "[a", "a[", "a*", "a?", "~",
    "a~1", "HEAD^", "a:b", "@", "a@{1}", "-x", "refs/heads/main", "gemma3:1b", "a/b:1@c", "http://a", "https://a/",
    "https://a\n", "https://a/\x0b", "https://a b", "https://ä.de/x", "https://u:p@a/x", "https://a/@x",
    "https://a?x=@", "https://", "http:///x", "HTTP://a", "ftp://a", "file:///a", "file:///", "file://a/b",
    "https://[::1]:80/x", "* * * * *", "*/5 * * * *", "*/0 * * * *", "1-5 * * * *", "5-1 * * * *", "0 0 30 2 *",
    "0 0 29 2 *", "* * * * MON", "* * * jan *", "60 * * * *", "* 24 * * *", "* * * * 7", "* * * * 8", "*  * * * *",
    "*\t* * * *", "* * * * *\n", "@daily", "1,2,3 1-3/2 * * *", "0 0 L * *", "0 0 ? * *", "0 0 * * 1#1",
    "00 00 01 01 00", "٣ * * * *", "50Mi", "0", "1", "01", "1.5Gi", "1e3", "1Ei", "1ki", "100Ki\n", "٣Mi",
    "999999999999999Ti", "1000000000000000", "Etc/UTC", "europe/berlin", "Mars/Phobos", "all-minilm-l6-v2", "Ollama",
    "OpenAI", "Embedded", "Extractive", "Sparse", "null",
]
# Whole numbers with a point are left out: kubectl never sends them, and the server takes `1.0` for an integer unless a
# rule reads it, so that `check` never takes it.
NUMBERS = [
    0, 0.5, 1, 1.5, 2, 2.5, -1, 50, 51, 99, 100, 101, 500, 501, 511, 512, 4000, 4001, 8000, 8001, 8192, 8193, 32768,
    32769, 100_000, 100_001, 2_000_000, 2_000_001, 2**31, 2**53, 2**63, 1e300, 1e-320,
]
# fmt: on
OTHERS: list[Any] = [None, True, False, 0, 1.5, "", "a", [], [None], ["a"], [1], [{}], [[]], {}, {"a": 1}]


def whole_resources() -> Iterator[Resource]:
    """Resources that together have every field of the CRDs' specs."""
    kinds_of_source = ("git", "volume", "configMap", "inline")
    for chosen in kinds_of_source:
        spec = load_part(Kind.SOURCE, "spec", "laptop")
        yield build_resource({key: spec[key] for key in spec if key == chosen or key not in kinds_of_source})
    for chosen in ("managed", "external"):
        spec = load_part(Kind.PIPELINE, "spec", "laptop")
        yield build_resource(spec | {"store": {chosen: spec["store"][chosen]}})


def paths_in(value: Any, path: Path) -> Iterator[Path]:
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield from paths_in(inner, (*path, key))


def fields() -> list[tuple[Resource, Path]]:
    """Every field once, in a resource that has it."""
    found: dict[tuple[str, Path], Resource] = {}
    for resource in whole_resources():
        for path in paths_in(resource["spec"], ("spec",)):
            found.setdefault((resource["kind"], path), resource)
    return [(resource, path) for (_, path), resource in found.items()]


def variants(resource: Resource, path: Path) -> Iterator[Resource]:
    """The resource without the field, and with odd values in its place."""

    def holder(of: Resource) -> Any:
        found: Any = of
        for part in path[:-1]:
            found = found[part]
        return found

    without = copy.deepcopy(resource)
    del holder(without)[path[-1]]
    yield without
    value = holder(resource)[path[-1]]
    odd: list[Any] = list(OTHERS)
    if isinstance(value, str):
        odd += TEXTS
    elif isinstance(value, int | float) and not isinstance(value, bool):
        odd += NUMBERS
    elif isinstance(value, list):
        odd += [value + value, value * 70]
    for new in odd:
        changed = copy.deepcopy(resource)
        holder(changed)[path[-1]] = new
        yield changed


def compare(cluster: Cluster, namespace: str, resource: Resource) -> tuple[bool, str]:
    """Whether the server and `check` agree, and what both said."""
    reply = cluster.http.post(
        f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{KINDS[Kind(resource['kind'])].plural}",
        json=resource,
        params={"dryRun": "All", "fieldValidation": "Strict"},
    )
    assert reply.status_code in (201, 400, 422), reply.text
    lines = [mistake.line for mistake in validate_resource(resource)]
    visible = [line for line in lines if not any(words in line for words in BEYOND_THE_SERVER)]
    return (reply.status_code == 201) == (not visible), f"server: {reply.text[:500]}\ncheck: {lines}"


@pytest.mark.parametrize(
    ("resource", "path"), fields(), ids=lambda given: given["kind"] if isinstance(given, dict) else format_path(given)
)
def test_odd_values(cluster: Cluster, namespace: str, resource: Resource, path: Path) -> None:
    outcomes = [compare(cluster, namespace, variant) for variant in [resource, *variants(resource, path)]]
    assert [said for agree, said in outcomes if not agree] == []


@pytest.mark.parametrize("spec", [*JUST_RIGHT, *(spec for _, spec in BROKEN_BY_HAND)], ids=lambda spec: str(spec)[:80])
def test_edges(cluster: Cluster, namespace: str, spec: Resource) -> None:
    agree, said = compare(cluster, namespace, build_resource(spec))
    assert agree, said

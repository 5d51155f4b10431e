"""The CRDs on a real API server: what it takes, fills in, refuses with which words, and shows."""

from typing import Any

import httpx
import pytest
import yaml

from lorekeeper_api.names import API_VERSION, GROUP, KINDS, VERSION, Kind
from lorekeeper_api.pipeline import Embedding
from lorekeeper_api.resources import RESOURCES
from tests.e2e.cluster import Cluster
from tests.unit.api.full_document import load_part
from tests.unit.api.given import ROOT, STORE_CHANGES, BadSpec, load_badspecs, load_examples

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("definitions")]

Resource = dict[str, Any]

FOUR_LINES = """
sources: [{name: handbook}]
embedding:  {provider: Ollama, model: nomic-embed-text}
generation: {provider: Ollama, model: "gemma3:1b"}
"""
FOUR_LINES_SOURCE = """
git: {url: https://git.example.com/docs.git, ref: main, include: ["**/*.md", "**/*.pdf"]}
schedule: "*/30 * * * *"
"""


class Collection:
    """The resources of one kind in one namespace."""

    def __init__(self, cluster: Cluster, namespace: str, kind: str) -> None:
        self._http = cluster.http
        self.address = f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{KINDS[Kind(kind)].plural}"

    def post(self, resource: Resource, *, validation: str = "Strict", dry_run: bool = True) -> httpx.Response:
        return self._http.post(self.address, json=resource, params=self._params(validation, dry_run=dry_run))

    def put(self, resource: Resource, part: str = "", *, dry_run: bool = False) -> httpx.Response:
        address = f"{self.address}/{resource['metadata']['name']}{part}"
        return self._http.put(address, json=resource, params=self._params("Strict", dry_run=dry_run))

    def get(self, name: str, part: str = "") -> Resource:
        reply = self._http.get(f"{self.address}/{name}{part}")
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    @staticmethod
    def _params(validation: str, *, dry_run: bool) -> dict[str, str]:
        return {"fieldValidation": validation} | ({"dryRun": "All"} if dry_run else {})


@pytest.fixture
def pipelines(cluster: Cluster, namespace: str) -> Collection:
    return Collection(cluster, namespace, Kind.PIPELINE)


@pytest.fixture
def sources(cluster: Cluster, namespace: str) -> Collection:
    return Collection(cluster, namespace, Kind.SOURCE)


def resource_of(kind: str, name: str, spec: Resource | str) -> Resource:
    loaded = yaml.safe_load(spec) if isinstance(spec, str) else spec
    return {"apiVersion": API_VERSION, "kind": str(kind), "metadata": {"name": name}, "spec": loaded}


def pipeline(name: str, **more: Any) -> Resource:
    return resource_of(Kind.PIPELINE, name, yaml.safe_load(FOUR_LINES) | more)


def causes_of(reply: httpx.Response) -> list[tuple[str, str]]:
    return [(cause.get("field", ""), cause["message"]) for cause in reply.json()["details"].get("causes", [])]


@pytest.mark.parametrize("kind", Kind)
def test_the_definition_is_taken_as_it_is(cluster: Cluster, kind: Kind) -> None:
    file = ROOT / "crds" / f"{GROUP}_{KINDS[kind].plural}.yaml"
    address = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{KINDS[kind].plural}.{GROUP}"
    reply = cluster.http.patch(
        address,
        content=file.read_bytes(),
        headers={"content-type": "application/apply-patch+yaml"},
        params={"dryRun": "All", "fieldManager": "test", "force": "true", "fieldValidation": "Strict"},
    )
    assert reply.status_code == 200, reply.text
    assert "warning" not in reply.headers
    conditions = cluster.http.get(address).json()["status"]["conditions"]
    # A schema that is not structural would show as a third condition.
    assert {condition["type"]: condition["status"] for condition in conditions} == {
        "NamesAccepted": "True",
        "Established": "True",
    }


BADSPECS = load_badspecs()


@pytest.mark.parametrize("bad", [bad for bad in BADSPECS if bad.server and not bad.server.get("strict")], ids=str)
def test_a_mistake_is_refused(cluster: Cluster, namespace: str, bad: BadSpec) -> None:
    reply = Collection(cluster, namespace, bad.resource["kind"]).post(bad.resource, validation="Warn")
    assert reply.status_code == 422, reply.text
    causes = causes_of(reply)
    assert any(field == bad.server["field"] and bad.is_said_by(message) for field, message in causes), causes


@pytest.mark.parametrize("bad", [bad for bad in BADSPECS if bad.server.get("strict")], ids=str)
def test_an_unknown_field_is_refused_or_at_least_warned_of(cluster: Cluster, namespace: str, bad: BadSpec) -> None:
    collection = Collection(cluster, namespace, bad.resource["kind"])
    said = f'{bad.server["says"]} "{bad.server["field"]}"'
    refused = collection.post(bad.resource)
    assert refused.status_code == 400, refused.text
    assert said in refused.json()["message"]
    taken = collection.post(bad.resource, validation="Warn")
    assert taken.status_code == 201, taken.text
    assert said in taken.headers["warning"].replace("\\", "")


@pytest.mark.parametrize("bad", [bad for bad in BADSPECS if not bad.server], ids=str)
def test_a_mistake_beyond_the_server_is_taken(cluster: Cluster, namespace: str, bad: BadSpec) -> None:
    reply = Collection(cluster, namespace, bad.resource["kind"]).post(bad.resource)
    assert reply.status_code == 201, reply.text


def taken_spec(cluster: Cluster, namespace: str, resource: Resource) -> Resource:
    """The spec with the server's defaults, after a look that the models fill in the same."""
    reply = Collection(cluster, namespace, resource["kind"]).post(resource)
    assert reply.status_code == 201, reply.text
    assert "warning" not in reply.headers
    spec: Resource = reply.json()["spec"]
    model = RESOURCES[resource["kind"]].model_validate(resource).spec
    filled = model.model_dump(mode="json", by_alias=True, exclude_none=True)
    if "store" not in spec:
        # Absent and empty mean the same, and the server says the first.
        assert filled.pop("store", {}) == {}
    assert spec == filled
    return spec


@pytest.mark.parametrize(
    "resource", load_examples(), ids=lambda resource: f"{resource['kind']}-{resource['metadata']['name']}"
)
def test_an_example_is_taken(cluster: Cluster, namespace: str, resource: Resource) -> None:
    taken_spec(cluster, namespace, resource)


def test_four_lines_are_a_pipeline(cluster: Cluster, namespace: str) -> None:
    assert taken_spec(cluster, namespace, resource_of(Kind.PIPELINE, "support", FOUR_LINES)) == {
        "sources": [{"name": "handbook"}],
        "embedding": {"provider": "Ollama", "model": "nomic-embed-text"},
        "generation": {
            "provider": "Ollama",
            "model": "gemma3:1b",
            "temperature": 0.1,
            "maxTokens": 512,
            "contextWindow": 4096,
        },
        "chunking": {"strategy": "Recursive", "size": 1000, "overlap": 100, "contextualHeader": True},
        "retrieval": {
            "mode": "Hybrid",
            "fusion": {"method": "WeightedScores", "weights": {"dense": 0.7, "sparse": 0.3}},
            "topK": 5,
            "candidates": 50,
        },
        "serving": {"replicas": 1},
    }
    assert taken_spec(cluster, namespace, resource_of(Kind.SOURCE, "handbook", FOUR_LINES_SOURCE)) == {
        "git": {"url": "https://git.example.com/docs.git", "ref": "main", "include": ["**/*.md", "**/*.pdf"]},
        "schedule": "*/30 * * * *",
        "timeZone": "Etc/UTC",
        "suspend": False,
        "limits": {"documentSize": "50Mi", "chunks": 20_000},
        "guard": {"maxDeletedPercent": 50},
    }


# Fields of which a resource has one.
CHOICES = {Kind.SOURCE: ("git", "volume", "configMap", "inline"), Kind.PIPELINE: ("managed", "external")}


@pytest.mark.parametrize(("kind", "choice"), [(kind, choice) for kind in Kind for choice in CHOICES[kind]])
def test_every_field_is_kept(cluster: Cluster, namespace: str, kind: Kind, choice: str) -> None:
    spec = load_part(kind, "spec", "laptop", "declared")
    part = spec if kind is Kind.SOURCE else spec["store"]
    for other in CHOICES[kind]:
        if other != choice:
            del part[other]
    assert taken_spec(cluster, namespace, resource_of(kind, "full", spec)) == spec


def test_an_object_without_fields_takes_none(pipelines: Collection) -> None:
    reply = pipelines.post(pipeline("empty", store={"managed": {"size": "1Gi"}}))
    assert reply.status_code == 400, reply.text
    assert 'unknown field "spec.store.managed.size"' in reply.json()["message"]


@pytest.mark.parametrize("number", range(len(STORE_CHANGES)))
def test_the_store_stays(pipelines: Collection, number: int) -> None:
    before, after, allowed = STORE_CHANGES[number]
    made = pipelines.post(pipeline(f"store-{number}", store=before), dry_run=False)
    assert made.status_code == 201, made.text
    changed = made.json()
    changed["spec"]["store"] = after
    reply = pipelines.put(changed)
    if allowed:
        assert reply.status_code == 200, reply.text
        return
    assert reply.status_code == 422, reply.text
    ((field, message),) = causes_of(reply)
    assert field == "spec.store"
    assert message.endswith(
        "the store of a pipeline cannot change, its vectors would stay behind: make a second pipeline with the new "
        "store, and delete this one when clients have moved"
    )


def test_the_kind_of_a_source_may_change(sources: Collection) -> None:
    made = sources.post(resource_of(Kind.SOURCE, "moves", FOUR_LINES_SOURCE), dry_run=False).json()
    del made["spec"]["git"]
    made["spec"]["configMap"] = {"name": "handbook"}
    assert sources.put(made).status_code == 200


def test_four_lines_can_be_scaled(cluster: Cluster, namespace: str, pipelines: Collection) -> None:
    assert pipelines.post(pipeline("scaled"), dry_run=False).status_code == 201
    scale = pipelines.get("scaled", "/scale")
    assert scale["spec"] == {"replicas": 1}
    assert scale["status"] == {"replicas": 0}
    cluster.run_kubectl("scale", "ragpipeline/scaled", "--replicas=3", f"--namespace={namespace}")
    now = pipelines.get("scaled")
    assert now["spec"]["serving"] == {"replicas": 3}
    now["status"] = {"replicas": 2, "selector": "lorekeeper.dev/pipeline=scaled"}
    assert pipelines.put(now, "/status").status_code == 200
    assert pipelines.get("scaled", "/scale")["status"] == now["status"]


@pytest.mark.parametrize(
    ("kind", "spec", "columns"),
    [
        (
            Kind.PIPELINE,
            FOUR_LINES,
            {
                "READY": "True",
                "REASON": "Answering",
                "DOCUMENTS": "412",
                "REVISION": "8c1f02ab",
                "ENDPOINT": "http://support-query.knowledge.svc:8080",
            },
        ),
        (Kind.SOURCE, FOUR_LINES_SOURCE, {"READY": "True", "REASON": "Synced", "DOCUMENTS": "412", "FAILED": "1"}),
    ],
    ids=["RAGPipeline", "KnowledgeSource"],
)
def test_a_whole_status_is_kept_and_shown(
    cluster: Cluster, namespace: str, kind: Kind, spec: str, columns: dict[str, str]
) -> None:
    collection = Collection(cluster, namespace, kind)
    status = load_part(kind, "status", "declared")
    # A status that comes along with a manifest is the operator's business, and is dropped.
    made = collection.post(resource_of(kind, "status", spec) | {"status": status}, dry_run=False)
    assert made.status_code == 201, made.text
    assert "status" not in made.json()
    reply = collection.put(made.json() | {"status": status}, "/status")
    assert reply.status_code == 200, reply.text
    assert "warning" not in reply.headers
    assert collection.get("status")["status"] == status
    assert reply.json()["metadata"]["generation"] == 1

    shown = cluster.run_kubectl("get", KINDS[kind].short, "status", f"--namespace={namespace}").splitlines()
    cells = dict(zip(shown[0].split(), shown[1].split(), strict=False))
    assert {name: cells[name] for name in columns} == columns

    unknown = collection.put(reply.json() | {"status": status | {"phase": "Running"}}, "/status")
    assert unknown.status_code == 400, unknown.text
    assert 'unknown field "status.phase"' in unknown.json()["message"]


def test_short_names_and_the_category_find_both(
    cluster: Cluster, namespace: str, pipelines: Collection, sources: Collection
) -> None:
    assert pipelines.post(pipeline("named"), dry_run=False).status_code == 201
    made = sources.post(resource_of(Kind.SOURCE, "named", FOUR_LINES_SOURCE), dry_run=False)
    assert made.status_code == 201, made.text

    def names(what: str) -> set[str]:
        return set(cluster.run_kubectl("get", what, f"--namespace={namespace}", "--output=name").split())

    rag, know = f"ragpipeline.{GROUP}/named", f"knowledgesource.{GROUP}/named"
    assert rag in names("rag")
    assert know in names("know")
    assert {rag, know} <= names("lorekeeper")


def test_explain_shows_the_description(cluster: Cluster) -> None:
    def explain(*arguments: str) -> str:
        return " ".join(cluster.run_kubectl("explain", *arguments).split())  # kubectl wraps lines

    described = Embedding.model_fields["model"].description or ""
    assert " ".join(described.split()) in explain("ragpipeline.spec.embedding.model")
    assert "model <string> -required-" in explain("rag.spec.embedding", "--recursive")
    assert "Files of a Git repository." in explain("know.spec")


def test_what_is_applied_again_is_unchanged(cluster: Cluster, namespace: str) -> None:
    files = [f"--filename={file}" for file in sorted((ROOT / "examples").glob("*/pipeline.yaml"))]

    def apply() -> list[str]:
        return cluster.run_kubectl("apply", f"--namespace={namespace}", *files).splitlines()

    assert {line.split()[-1] for line in apply()} == {"created"}
    assert {line.split()[-1] for line in apply()} == {"unchanged"}

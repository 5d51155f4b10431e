from collections.abc import Iterator

import pytest

from lorekeeper_api.crd import build_schema
from lorekeeper_api.names import GROUP, KINDS, VERSION
from lorekeeper_api.resources import RESOURCES
from tests.e2e.cluster import Cluster, open_cluster, until
from tests.unit.api.given import ROOT


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with open_cluster() as opened:
        yield opened


@pytest.fixture(scope="session")
def definitions(cluster: Cluster) -> Iterator[None]:
    """Both CRDs as they are in the repository, in force."""
    names = [f"{kind.plural}.{GROUP}" for kind in KINDS.values()]
    address = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    made_here = [name for name in names if cluster.http.get(f"{address}/{name}").status_code == 404]
    cluster.run_kubectl("apply", "-f", ROOT / "crds")
    cluster.run_kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", ROOT / "crds")
    # Requests are still judged by an earlier definition for a moment, until the new one is published, too.
    until(lambda: _are_published(cluster), "the definitions are published as they are in the repository")
    yield
    for name in made_here:
        # A definition takes all its resources along: never those of somebody else.
        left = cluster.http.get(f"/apis/{GROUP}/{VERSION}/{name.removesuffix(f'.{GROUP}')}").json()
        if left["items"] == []:
            cluster.run_kubectl("delete", "customresourcedefinition", name)


def _are_published(cluster: Cluster) -> bool:
    reply = cluster.http.get(f"/openapi/v3/apis/{GROUP}/{VERSION}")
    if reply.status_code != 200:
        return False
    published = reply.json()["components"]["schemas"]
    for kind, model in RESOURCES.items():
        theirs = published.get(f"{'.'.join(reversed(GROUP.split('.')))}.{VERSION}.{kind}", {})
        ours = build_schema(model)
        same = [theirs.get("properties", {}).get(part) == ours["properties"][part] for part in ("spec", "status")]
        if not all(same) or theirs["x-kubernetes-validations"] != ours["x-kubernetes-validations"]:
            return False
    return True


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace of the module's own."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "lorekeeper-test-"}}
    name: str = cluster.http.post("/api/v1/namespaces", json=body).raise_for_status().json()["metadata"]["name"]
    yield name
    cluster.run_kubectl("delete", "namespace", name)

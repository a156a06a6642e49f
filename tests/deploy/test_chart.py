"""The Helm chart, rendered by helm and read against the schemas of Kubernetes."""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from linkflow.apps.serve_roles import PORTS, roles_of
from linkflow.ports.cluster import ROLES
from linkflow.testing.deploying import TOOLS, find_helm

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy" / "helm" / "linkflow"
BEYOND = {"keda.sh/v1alpha1", "monitoring.coreos.com/v1"}
"""API groups that Kubernetes itself has no schema of."""

VARIANTS = [
    [],
    ["topology=tiers"],
    ["tls.insecure=true", "keda.enabled=false", "networkPolicy.enabled=false", "serviceAccount.create=false"],
    [
        "ingress.enabled=true",
        "ingress.className=nginx",
        "ingress.tlsSecretName=web",
        "serviceMonitor.enabled=true",
        "imagePullSecrets[0].name=registry",
        "networkPolicy.publicFrom={ingress}",
    ],
]

pytestmark = [
    pytest.mark.external,
    pytest.mark.timeout(60),
    pytest.mark.skipif(find_helm() is None, reason="helm is missing; `make services` brings it"),
]


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run helm."""
    return subprocess.run([TOOLS / "helm", *arguments], capture_output=True, text=True, check=False)


def rendered(*values: str) -> list[Any]:
    """Render the chart."""
    options = [option for value in values for option in ("--set", value)]
    done = helm("template", "flow", str(CHART), "--namespace", "lf", *options)
    assert done.returncode == 0, done.stderr
    parts = [msgspec.yaml.decode(part) for part in done.stdout.split("\n---\n")]
    return [part for part in parts if part]


def of(kind: str, *values: str) -> dict[str, Any]:
    """Render the chart and pick one kind, by name."""
    return {each["metadata"]["name"]: each for each in rendered(*values) if each["kind"] == kind}


@cache
def schema_of(api_version: str, kind: str) -> jsonschema_rs.Validator:
    """Find the schema of a kind."""
    group, _, version = api_version.rpartition("/")
    parts = [kind.lower(), *([group.removesuffix(".k8s.io")] if group else []), version]
    folder = TOOLS / "kubernetes"
    return jsonschema_rs.validator_for(
        json.loads((folder / f"{'-'.join(parts)}.json").read_text()),
        retriever=lambda uri: json.loads((folder / uri.rpartition("/")[2]).read_text()),
    )


def test_the_chart_lints() -> None:
    """`helm lint --strict` has nothing to say against the chart."""
    done = helm("lint", "--strict", str(CHART))

    assert 0 == done.returncode, done.stdout


@pytest.mark.parametrize("values", VARIANTS, ids=lambda values: ",".join(values) or "default")
def test_manifests_are_what_kubernetes_takes(values: list[str]) -> None:
    """Every manifest has only fields that Kubernetes knows, of the types that it wants."""
    manifests = [each for each in rendered(*values) if each["apiVersion"] not in BEYOND]
    wrong = [
        f"{each['kind']}/{each['metadata']['name']}: {error.message}"
        for each in manifests
        for error in schema_of(each["apiVersion"], each["kind"]).iter_errors(each)
    ]

    assert ([], True) == (wrong, len(manifests) > 10)


def test_a_wrong_field_would_be_seen() -> None:
    """The check above is one: a misspelt field is refused."""
    (deployment, *_) = of("Deployment").values()
    deployment["spec"]["template"]["spec"]["containers"][0]["imagee"] = "x"

    assert list(schema_of("apps/v1", "Deployment").iter_errors(deployment))


@pytest.mark.parametrize(
    "value",
    [
        "topology=five",
        "replicas=2",
        "defaults.drainSeconds=1",
        "settings.PATH=x",
        "tls.insecure=3",
        "proxies.inside={all}",
    ],
)
def test_wrong_values_are_refused(value: str) -> None:
    """values.schema.json refuses what the chart cannot use, before anything is installed."""
    done = helm("template", "flow", str(CHART), "--set", value)

    assert (1, True) == (done.returncode, "schema" in done.stderr)


def test_every_role_has_a_deployment() -> None:
    """C1 to C8, C11: the services run each by itself, or as three tiers."""
    services = {
        each["spec"]["template"]["spec"]["containers"][0]["args"][2] for each in of("Deployment").values()
    }
    tiers = set(of("Deployment", "topology=tiers"))

    assert (set(ROLES), {"flow-api", "flow-worker", "flow-scheduler"}) == (services, tiers)


@pytest.mark.parametrize("topology", ["services", "tiers"])
def test_probes_ask_where_the_process_answers(topology: str) -> None:
    """Each pod is probed on the port of one of its roles, and all roles of a LinkFlow are somewhere."""
    there: set[str] = set()
    for deployment in of("Deployment", f"topology={topology}").values():
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        roles = roles_of(container["args"][2])
        there |= roles
        assert container["ports"][0]["containerPort"] in {PORTS[role] for role in roles}

    assert set(ROLES) == there


def test_workers_scale_on_waiting_tasks() -> None:
    """C12: KEDA scales workers from 2 to 100 on the depth of the queue, and keeps some when it is blind."""
    (scaled,) = of("ScaledObject").values()
    spec = scaled["spec"]

    assert ("flow-worker", 2, 100) == (
        spec["scaleTargetRef"]["name"],
        spec["minReplicaCount"],
        spec["maxReplicaCount"],
    )
    assert ("prometheus", True, 2) == (
        spec["triggers"][0]["type"],
        "linkflow_task_queue_depth" in spec["triggers"][0]["metadata"]["query"],
        spec["fallback"]["replicas"],
    )


def test_the_api_scales_and_nobody_sets_replicas_twice() -> None:
    """A17: 2 to 20 instances of the API; what an autoscaler owns has no replicas of its own."""
    api = of("HorizontalPodAutoscaler")["flow-rest"]["spec"]
    deployments = of("Deployment")

    assert (2, 20) == (api["minReplicas"], api["maxReplicas"])
    assert not [name for name in ("flow-rest", "flow-worker") if "replicas" in deployments[name]["spec"]]


def test_pods_drain_before_they_are_killed() -> None:
    """A rolling upgrade starts a pod before it ends one, probes it, and gives each time to drain."""
    for deployment in of("Deployment").values():
        spec = deployment["spec"]["template"]["spec"]
        container = spec["containers"][0]

        assert {"maxSurge": 1, "maxUnavailable": 0} == deployment["spec"]["strategy"]["rollingUpdate"]
        assert spec["terminationGracePeriodSeconds"] >= 5 + 15 + 10
        assert ["sleep", "5"] == container["lifecycle"]["preStop"]["exec"]["command"]
        assert ("/health", "/ready") == (
            container["livenessProbe"]["httpGet"]["path"],
            container["readinessProbe"]["httpGet"]["path"],
        )


def test_pods_may_do_nothing_they_need_not() -> None:
    """No pod is root, writes its own files or gets a token of the cluster; evictions have a budget."""
    deployments = of("Deployment")
    for deployment in deployments.values():
        spec = deployment["spec"]["template"]["spec"]
        security = spec["containers"][0]["securityContext"]

        assert (True, False) == (
            spec["securityContext"]["runAsNonRoot"],
            spec["automountServiceAccountToken"],
        )
        assert (True, False) == (
            security["readOnlyRootFilesystem"],
            security["allowPrivilegeEscalation"],
        )
    assert deployments.keys() == of("PodDisruptionBudget").keys()


def test_services_trust_each_other_by_certificates() -> None:
    """B13: certificates come from a Secret, unless somebody says that the network is safe."""
    secured, clear = of("Deployment")["flow-history"], of("Deployment", "tls.insecure=true")["flow-history"]
    names = [
        {each["name"] for each in found["spec"]["template"]["spec"]["volumes"]} for found in (secured, clear)
    ]
    arguments = [found["spec"]["template"]["spec"]["containers"][0]["args"][3:] for found in (secured, clear)]

    assert [True, False] == ["tls" in found for found in names]
    assert [[], ["--insecure"]] == arguments


def environment(deployment: Any) -> dict[str, Any]:
    """Read the settings of a deployment's pods that are given as they are."""
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    return {each["name"]: each.get("value") for each in container["env"]}


def test_the_caller_is_who_it_is_also_behind_proxies() -> None:
    """The API believes the edges; the edge believes nobody but the chart's ingress, or who is named."""
    inside = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"
    bare = environment(of("Deployment")["flow-rest"])
    edges = [
        environment(of("Deployment", *values)["flow-edge"]).get("LINKFLOW_EDGE_TRUSTED_PROXIES")
        for values in ([], ["ingress.enabled=true"], ["proxies.outside={203.0.113.0/24}"])
    ]

    assert inside == bare["LINKFLOW_TRUSTED_PROXIES"]
    assert [None, inside, "203.0.113.0/24"] == edges


@pytest.mark.parametrize(("options", "first"), [([], "post"), (["--is-upgrade"], "pre")])
def test_the_schema_changes_around_the_pods(options: list[str], first: str) -> None:
    """In an upgrade, revisions that old code can live with come before new pods, the others afterwards."""
    done = helm("template", "flow", str(CHART), "--show-only", "templates/migrate.yaml", *options)
    jobs = [msgspec.yaml.decode(part) for part in done.stdout.split("\n---\n")]
    hooks = {
        job["metadata"]["annotations"]["helm.sh/hook"]: job["spec"]["template"]["spec"]["containers"][0][
            "args"
        ]
        for job in jobs
    }

    assert {
        "pre-install,pre-upgrade": ["migrate", "--phase", first],
        "post-install,post-upgrade": ["migrate", "--phase", "post"],
    } == hooks

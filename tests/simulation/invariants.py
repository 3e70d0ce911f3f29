"""The invariants once everything has settled, after any history; read with official clients, not from records."""

from collections.abc import Iterator

from google.cloud.billing_v1 import CloudBillingClient
from google.cloud.container_v1 import ClusterManagerClient
from google.cloud.run_v2 import Service, ServicesClient
from google.cloud.scheduler_v1 import CloudSchedulerClient, Job
from google.cloud.secretmanager_v1 import SecretManagerServiceClient, SecretVersion

from shared.restrictions import DOCUMENT, SpendingRestrictions
from shared.state import State
from tests.simulation import world
from tests.simulation.life import Life

MOST_BYTES = 100_000
"""Of one automation's records: Firestore takes 1 MiB for a document."""
KEPT = 3


def violations(life: Life) -> list[str]:
    """Everything that is not as it must be."""
    found = (_originals, _restrictions, _previews, _versions, _backups, _chat, _rest)
    return [one for invariant in found for one in invariant(life)]


def _alerted(life: Life) -> set[str]:
    return {alert.subject for report in life.reports.values() for alert in report.alerts}


def _originals(life: Life) -> Iterator[str]:
    """Each resource is as people last set it, or an alert names it; others are as they were."""
    named = _alerted(life)
    for name, service in _services(life, world.REGION).items():
        is_foreign = name in world.FOREIGN
        wanted = world.FOREIGN[name] if is_foreign else life.maxima[name]
        if service.scaling.max_instance_count != wanted and (is_foreign or service.name not in named):
            kind, maximum = "others" if is_foreign else "originals", service.scaling.max_instance_count
            yield f"{kind}: {name} has a maximum of {maximum}, should have {wanted}"
    info = life.people.of(CloudBillingClient).get_project_billing_info(name=f"projects/{world.EXPERIMENTS}")
    if not info.billing_account_name and f"projects/{world.EXPERIMENTS}" not in named:
        yield f"originals: {world.EXPERIMENTS} is detached"
    for job in life.people.of(CloudSchedulerClient).list_jobs(request={"parent": world.REGION}):
        if job.state is not Job.State.ENABLED and job.name not in named:
            yield f"originals: {job.name} is {job.state.name}"
    clusters = life.people.of(ClusterManagerClient)
    pool = clusters.get_node_pool(request={"name": world.GPU})
    if world.GPU not in named and not (pool.autoscaling.enabled and pool.autoscaling.max_node_count == 4):
        yield f"originals: the GPU pool's autoscaling is {pool.autoscaling}"
    cpu = clusters.get_node_pool(request={"name": world.GPU.replace("nodePools/gpu", "nodePools/cpu")})
    if life.cloud.gke.size_of(world.GPU.replace("nodePools/gpu", "nodePools/cpu")) != 3:
        yield f"others: the pool cpu is {cpu.initial_node_count}"


def _restrictions(life: Life) -> Iterator[str]:
    """No restriction without a budget that asks for it."""
    in_force = State(life.clients).read(DOCUMENT)[0].as_type(SpendingRestrictions).in_force
    if in_force:
        yield f"restrictions: {', '.join(in_force)} in force, and no budget is spent"


def _previews(life: Life) -> Iterator[str]:
    """No preview without its pull request."""
    open_ = {str(number) for number in life.commits}
    for name, service in _services(life, world.PREVIEW_REGION).items():
        if service.labels.get("caretaker-pull-request") not in open_ and service.name not in _alerted(life):
            yield f"previews: {name} has no open pull request"


def _versions(life: Life) -> Iterator[str]:
    """No version that a service refers to is disabled."""
    versions = life.people.of(SecretManagerServiceClient).list_secret_versions(request={"parent": world.SECRET})
    enabled = {one.name.rpartition("/")[2] for one in versions if one.state is SecretVersion.State.ENABLED}
    for name, service in _services(life, world.REGION).items():
        for container in service.template.containers:
            for variable in container.env:
                used = variable.value_source.secret_key_ref.version
                if used and used not in enabled:
                    yield f"versions: {name} uses version {used}, of which {sorted(enabled)} are enabled"


def _backups(life: Life) -> Iterator[str]:
    """So many backups stay, and what is no backup too."""
    names = life.cloud.storage.names(world.BUCKET)
    yield from (f"others: {name} was deleted" for name in world.NOT_OURS if name not in names)
    backups = [name for name in names if name.startswith(world.PREFIX) and name.endswith(".dump")]
    if len(backups) < KEPT:
        yield f"floors: {len(backups)} backups are left"


def _chat(life: Life) -> Iterator[str]:
    """Every report was taken, and changes were posted."""
    if life.untold:
        yield f"chat: {len(life.untold)} reports were not taken"
    if not life.cloud.chat.messages(world.HOOK):
        yield "chat: nothing was posted"


def _rest(life: Life) -> Iterator[str]:
    """Records are bounded, and another tick changes nothing."""
    paths = [f"records/{name}" for name in life.automations]
    for document in State(life.clients).read(*paths):
        if len(str(document.fields)) > MOST_BYTES:
            yield f"bounded: {document.path} has {len(str(document.fields))} characters"
    life.cloud.server.clear_calls()
    life.tick_all()
    changing = [call.method for call in life.cloud.server.calls if call.mutating]
    if changing:
        yield f"rest: a tick leads to {', '.join(dict.fromkeys(changing))}"


def _services(life: Life, parent: str) -> dict[str, Service]:
    listed = life.people.of(ServicesClient).list_services(request={"parent": parent})
    return {service.name.rpartition("/")[2]: service for service in listed}

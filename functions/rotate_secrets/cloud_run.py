"""The edge to Cloud Run: who refers to our secrets, by one list of services and one of jobs for each region."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from functions.rotate_secrets.changes import Move, Roll
from functions.rotate_secrets.settings import Settings
from functions.rotate_secrets.world import LATEST, Dependent, ExistingSecret, Reference
from shared.clients import Clients

if TYPE_CHECKING:
    from google.cloud.run_v2 import Job, Revision, RevisionTemplate, SecretVolumeSource, Service, TaskTemplate

    Template = RevisionTemplate | TaskTemplate | Revision

PAGE_SIZE = 1000
MANAGED_BY = "goog-managed-by"
FUNCTIONS = "cloudfunctions"
PREVIOUS = "previous"


class Names:
    """By which names references call our secrets, and those that keep the values before."""

    def __init__(self, settings: Settings, secrets: Mapping[str, ExistingSecret]) -> None:
        self._keys = {name: key for key, one in secrets.items() for name in (one.name, one.numbered_name)}
        self._kept: dict[str, str] = {}
        for key, one in secrets.items():
            folder, _, kept = (settings.secrets[key].value.previous_secret or "").rpartition("/")
            if kept:
                self._kept[f"{folder}/{kept}"] = key
            if folder == one.name.rpartition("/")[0]:
                self._kept[f"{one.numbered_name.rpartition('/')[0]}/{kept}"] = key

    def key(self, said: str, project: str) -> str:
        """The owner's key of a secret; "" if it is none of ours. One of the same project is named by its id alone."""
        name = said if "/" in said else f"projects/{project}/secrets/{said}"
        return self._keys.get(name, "") or self._kept.get(name, "")

    def is_kept(self, said: str, project: str) -> bool:
        """Whether it is the secret that keeps the value before."""
        return (said if "/" in said else f"projects/{project}/secrets/{said}") in self._kept


def dependents(settings: Settings, secrets: Mapping[str, ExistingSecret], clients: Clients) -> tuple[Dependent, ...]:
    """All services and jobs that refer to the secrets, in order of name."""
    parents = [place.parent for place in settings.dependents_in]
    names = Names(settings, secrets)
    services = clients.in_parallel(lambda parent: _services(parent, names, clients), parents)
    jobs = clients.in_parallel(lambda parent: _jobs(parent, names, clients), parents)
    found = [one for listed in (*services, *jobs) for one in listed]
    return tuple(sorted((one for one in found if one.references or one.serving), key=lambda one: one.name))


def roll(change: Roll, clients: Clients) -> None:
    """Let a service or a job refer to other versions, in one update under its etag. It is not waited for."""
    from google.cloud.run_v2 import Job, JobsClient, Service, ServicesClient

    match change.resource:
        case Service() as read:
            service = Service(name=read.name, etag=read.etag, template=read.template)
            _move(service.template, change.moves, change.target)
            # Under the name of the revision that there is, it would be refused as a conflict.
            service.template.revision = ""
            request = {"service": service, "update_mask": {"paths": ["template"]}}
            clients.of(ServicesClient).update_service(request=request, **clients.writing)
        case Job() as read:
            # An update of a job has no mask: it is sent whole.
            job = Job(read)
            _move(job.template.template, change.moves, change.target)
            clients.of(JobsClient).update_job(request={"job": job}, **clients.writing)


def _services(parent: str, names: Names, clients: Clients) -> list[Dependent]:
    from google.cloud.run_v2 import ServicesClient

    request = {"parent": parent, "page_size": PAGE_SIZE}
    return [
        _service(service, names, clients)
        for service in clients.of(ServicesClient).list_services(request=request, **clients.reading)
    ]


def _service(service: "Service", names: Names, clients: Clients) -> Dependent:
    from google.cloud.run_v2 import RevisionsClient

    project = _project(service.name)
    others = sorted(_serving(service) - {service.latest_created_revision})
    serving = [
        reference
        for name in others
        for reference in _references(
            clients.of(RevisionsClient).get_revision(request={"name": name}, **clients.reading), names, project
        )
    ]
    return Dependent(
        name=service.name,
        references=tuple(_references(service.template, names, project)),
        serving=tuple(dict.fromkeys(serving)),
        is_in_flight=service.reconciling,
        problem=_problem(service),
        is_pinned=any(target.revision for target in service.traffic),
        has_tag=_has_tag(service.template),
        is_function=service.labels.get(MANAGED_BY) == FUNCTIONS,
        resource=service,
    )


def _jobs(parent: str, names: Names, clients: Clients) -> list[Dependent]:
    from google.cloud.run_v2 import JobsClient

    request = {"parent": parent, "page_size": PAGE_SIZE}
    return [
        Dependent(
            name=job.name,
            references=tuple(_references(job.template.template, names, _project(job.name))),
            is_in_flight=job.reconciling,
            problem=_problem(job),
            has_tag=_has_tag(job.template.template),
            resource=job,
        )
        for job in clients.of(JobsClient).list_jobs(request=request, **clients.reading)
    ]


def _serving(service: "Service") -> set[str]:
    """The full names of the revisions that have traffic or a tag."""
    targets = service.traffic_statuses or service.traffic
    return {
        f"{service.name}/revisions/{target.revision}" if target.revision else service.latest_ready_revision
        for target in targets
        if target.revision or service.latest_ready_revision
    }


def _problem(resource: "Service | Job") -> str:
    from google.cloud.run_v2 import Condition

    condition = resource.terminal_condition
    if resource.reconciling or condition.state == Condition.State.CONDITION_SUCCEEDED:
        return ""
    return condition.message or Condition.State(condition.state).name


def _project(name: str) -> str:
    return name.split("/")[1]


def _has_tag(template: "Template") -> bool:
    return any("@sha256:" not in container.image for container in template.containers)


def _references(template: "Template", names: Names, project: str) -> Iterator[Reference]:
    for container in template.containers:
        for variable in container.env:
            said = variable.value_source.secret_key_ref
            if key := names.key(said.secret, project):
                yield Reference(key, said.version or LATEST, _is_previous(variable.name))
    for volume in template.volumes:
        if key := names.key(volume.secret.secret, project):
            for path, version in _files(volume.secret):
                is_kept = names.is_kept(volume.secret.secret, project)
                yield Reference(key, version, _is_previous(path), is_file=True, is_kept=is_kept)


def _files(secret: "SecretVolumeSource") -> list[tuple[str, str]]:
    """Which version is in which file. A volume without items has the latest one, in a file of the secret's name."""
    items = [(item.path, item.version or LATEST) for item in secret.items]
    return items or [(secret.secret.rpartition("/")[2], LATEST)]


def _is_previous(name: str) -> bool:
    return PREVIOUS in name.lower()


def _move(template: "RevisionTemplate | TaskTemplate", moves: Iterable[Move], resource: str) -> None:
    """Change references in place; what has been changed by somebody else since is left."""
    from google.cloud.run_v2 import VersionToPath

    project = _project(resource)
    wanted = {
        (name, move.before, move.is_previous): move.after
        for move in moves
        for name in (move.secret, move.numbered_name)
    }

    def after(secret: str, version: str, name: str) -> str:
        full = secret if "/" in secret else f"projects/{project}/secrets/{secret}"
        return wanted.get((full, version or LATEST, _is_previous(name)), version)

    for container in template.containers:
        for variable in container.env:
            if "value_source" in variable:
                said = variable.value_source.secret_key_ref
                said.version = after(said.secret, said.version, variable.name)
    for volume in template.volumes:
        if "secret" not in volume:
            continue
        if not volume.secret.items:
            ((path, version),) = _files(volume.secret)
            moved = after(volume.secret.secret, version, path)
            if moved != version:
                volume.secret.items = [VersionToPath(path=path, version=moved)]
        for item in volume.secret.items:
            item.version = after(volume.secret.secret, item.version, item.path)

"""The edge to Cloud Run: lets a service, a job or a worker pool refer to other versions of secrets."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from functions.rotate_secrets.changes import Move, Roll
from functions.rotate_secrets.cloud_run import files_of, full_name, is_previous, project_of
from functions.rotate_secrets.world import LATEST
from shared.clients import Clients

if TYPE_CHECKING:
    from google.cloud.run_v2 import RevisionTemplate, TaskTemplate, WorkerPoolRevisionTemplate


def roll(change: Roll, clients: Clients) -> None:
    """Change the references of one dependent, in one update under its etag. It is not waited for."""
    from google.cloud.run_v2 import Job, JobsClient, Service, ServicesClient, WorkerPool, WorkerPoolsClient

    mask = {"paths": ["template"]}
    match change.resource:
        case Service() as read:
            service = Service(name=read.name, etag=read.etag, template=read.template)
            _move(service.template, change.moves, change.target)
            # Under the name of the revision that there is, it would be refused as a conflict.
            service.template.revision = ""
            request = {"service": service, "update_mask": mask}
            clients.of(ServicesClient).update_service(request=request, **clients.writing)
        case WorkerPool() as read:
            pool = WorkerPool(name=read.name, etag=read.etag, template=read.template)
            _move(pool.template, change.moves, change.target)
            pool.template.revision = ""
            request = {"worker_pool": pool, "update_mask": mask}
            clients.of(WorkerPoolsClient).update_worker_pool(request=request, **clients.writing)
        case Job() as read:
            # An update of a job has no mask: it is sent whole.
            job = Job(read)
            _move(job.template.template, change.moves, change.target)
            clients.of(JobsClient).update_job(request={"job": job}, **clients.writing)


def _move(
    template: "RevisionTemplate | TaskTemplate | WorkerPoolRevisionTemplate", moves: Iterable[Move], resource: str
) -> None:
    """Change references in place; those that someone else has changed since are left."""
    from google.cloud.run_v2 import VersionToPath

    project = project_of(resource)
    wanted = {
        (name, move.before, move.is_previous): move.after
        for move in moves
        for name in (move.secret, move.numbered_name)
    }

    def after(secret: str, version: str, name: str) -> str:
        return wanted.get((full_name(secret, project), version or LATEST, is_previous(name)), version)

    for container in template.containers:
        for variable in container.env:
            if "value_source" in variable:
                source = variable.value_source.secret_key_ref
                source.version = after(source.secret, source.version, variable.name)
    for volume in template.volumes:
        if "secret" not in volume:
            continue
        if not volume.secret.items:
            ((path, version),) = files_of(volume.secret)
            moved = after(volume.secret.secret, version, path)
            if moved != version:
                volume.secret.items = [VersionToPath(path=path, version=moved)]
        for item in volume.secret.items:
            item.version = after(volume.secret.secret, item.version, item.path)

"""The edge to Cloud Run: lets a service, a job or a worker pool refer to other versions of secrets.

A resource goes back as it was read, with fields that are not known here.
"""

import copy
from collections.abc import Iterable

from functions.rotate_secrets.changes import Move, Roll
from functions.rotate_secrets.cloud_run import Json, file_of, full_name, is_previous, project_of
from functions.rotate_secrets.world import LATEST
from shared import rest
from shared.clients import Clients
from shared.cloud_run import API, RPC

METHODS = {
    "services": "Services/UpdateService",
    "workerPools": "WorkerPools/UpdateWorkerPool",
    "jobs": "Jobs/UpdateJob",
}


def roll(change: Roll, clients: Clients) -> None:
    """Change the references of one dependent, in one update under its etag. It is not waited for."""
    kind = change.target.split("/")[-2]
    resource: Json = copy.deepcopy(dict(change.resource))
    template = resource["template"]
    if kind == "jobs":
        # An update of a job has no mask: it is sent whole.
        _move(template["template"], change.moves, change.target)
        content, mask = resource, {}
    else:
        _move(template, change.moves, change.target)
        # Under the name of the revision that there is, it would be refused as a conflict.
        template.pop("revision", None)
        content = {"name": change.target, "etag": resource.get("etag", ""), "template": template}
        mask = {"updateMask": "template"}
    rest.send(clients, "PATCH", f"{API}/{change.target}", content, mask, rpc=f"{RPC}.{METHODS[kind]}")


def _move(template: Json, moves: Iterable[Move], resource: str) -> None:
    """Change references in place; those that someone else has changed since are left."""
    project = project_of(resource)
    wanted = {
        (name, move.before, move.is_previous): move.after
        for move in moves
        for name in (move.secret, move.numbered_name)
    }

    def move(place: Json, secret: str, name: str) -> None:
        key = (full_name(secret, project), place.get("version", LATEST), is_previous(name))
        if version := wanted.get(key):
            place["version"] = version

    for container in template.get("containers", ()):
        for variable in container.get("env", ()):
            if key := variable.get("valueSource", {}).get("secretKeyRef"):
                move(key, key["secret"], variable["name"])
    for volume in template.get("volumes", ()):
        if secret := volume.get("secret"):
            only = {"path": file_of(secret["secret"])}
            for file in secret.get("items") or (only,):
                move(file, secret["secret"], file.get("path", ""))
            if "version" in only:
                secret["items"] = [only]

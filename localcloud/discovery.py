"""The methods and fields of requests in Google's discovery documents that the local cloud lacks.

    python -m localcloud.discovery google_api_python_client-2.202.0-py3-none-any.whl

compares the documents in that package (`pip download --no-deps google-api-python-client`, 17 MB, which is why no test
has it) with ``discovery.txt``, and prints what is new: 1 if anything is. ``--write`` brings the file up to date. Fields
are those that the official client packages know, and of REST APIs those that the services know.
"""

import argparse
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from google.protobuf.descriptor import Descriptor

from localcloud import LocalCloud
from localcloud.compute.groups import GROUP_FIELDS
from localcloud.core.server import ApiError
from localcloud.rest.rules import Rule, rule_of
from localcloud.rest.transcoder import request_type
from localcloud.storage.buckets import READ_ONLY, SETTABLE
from localcloud.storage.serializers import OBJECT_FIELDS

APIS = (
    *("artifactregistry.v1", "billingbudgets.v1", "cloudbilling.v1", "cloudscheduler.v1", "compute.v1"),
    *("container.v1", "firestore.v1", "logging.v2", "monitoring.v3", "pubsub.v1", "run.v2", "secretmanager.v1"),
    *("storage.v1",),
)
FIELDS_OF_REST: Mapping[str, frozenset[str]] = {
    "Bucket": SETTABLE | READ_ONLY,
    "Object": frozenset(OBJECT_FIELDS),
    "InstanceGroupManager": frozenset(GROUP_FIELDS),
}
"""By schema, of APIs that the local cloud serves without a client package."""
KNOWN = Path(__file__).with_name("discovery.txt")

# A discovery document is JSON of a hundred forms.
Document = Mapping[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, or write."""
    parser = argparse.ArgumentParser(prog="python -m localcloud.discovery", description=__doc__)
    parser.add_argument("package", type=Path, help="the wheel of google-api-python-client")
    parser.add_argument("--write", action="store_true", help="bring discovery.txt up to date")
    options = parser.parse_args(arguments)
    lines = sorted(set(missing(documents_in(options.package), LocalCloud())))
    known = KNOWN.read_text(encoding="utf-8").splitlines() if KNOWN.exists() else []
    if options.write:
        KNOWN.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    new, gone = sorted(set(lines) - set(known)), sorted(set(known) - set(lines))
    for line in (*(f"+ {one}" for one in new), *(f"- {one}" for one in gone)):
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{len(lines)} methods and fields are left out, {len(new)} of them new\n")
    return 1 if new and not options.write else 0


def documents_in(package: Path) -> Iterator[Document]:
    """The documents of the APIs that the local cloud serves."""
    with zipfile.ZipFile(package) as files:
        for api in APIS:
            yield json.loads(files.read(f"googleapiclient/discovery_cache/documents/{api}.json"))


def missing(documents: Iterable[Document], cloud: LocalCloud) -> Iterator[str]:
    """Each method that is left out, or all of a collection (``*``), and each field that is not known."""
    for document in documents:
        yield from _in_collection(document, document, cloud)


def _in_collection(document: Document, collection: Document, cloud: LocalCloud) -> Iterator[str]:
    methods = collection.get("methods", {}).values()
    served = [method["id"] for method in methods if _is_served(document, method, cloud)]
    if served:
        yield from (f"{method['id']} left out" for method in methods if method["id"] not in served)
    elif methods:
        yield f"{next(iter(methods))['id'].rpartition('.')[0]}.* left out"
    for method in methods:
        if method["id"] in served:
            yield from _unknown_fields(document, method, cloud)
    for inner in collection.get("resources", {}).values():
        yield from _in_collection(document, inner, cloud)


def _address(document: Document, method: Document) -> tuple[str, str]:
    """The host, and a path with an ``x`` for each variable."""
    host = document["rootUrl"].removeprefix("https://").strip("/").removeprefix("www.")
    path = "/" + document.get("servicePath", "") + (method.get("flatPath") or method["path"])
    if host == "compute.googleapis.com" and not path.startswith("/compute/"):
        path = f"/compute/v1{path}"
    return host, re.sub(r"\{[^}]+\}", "x", path)


def _rule_of(document: Document, method: Document) -> Rule | None:
    host, path = _address(document, method)
    found = rule_of(host, method["httpMethod"], path)
    return found[0] if found else None


def _is_served(document: Document, method: Document, cloud: LocalCloud) -> bool:
    if rule := _rule_of(document, method):
        try:
            return cloud.server.find(f"/{rule.rpc}").method.handle is not None
        except ApiError:
            return False
    host, path = _address(document, method)
    routes = (route for one in cloud.services() if one.is_http for route in cloud.of(one).routes)
    # A route that answers for any host says nothing of this one.
    return any(
        route.verb == method["httpMethod"] and route.pattern.fullmatch(f"{host}{path}")
        for route in routes
        if route.host.fullmatch(host)
    )


def _unknown_fields(document: Document, method: Document, cloud: LocalCloud) -> Iterator[str]:
    schema = method.get("request", {}).get("$ref")
    rule = _rule_of(document, method)
    if schema is None:
        return
    if rule is None:
        known = FIELDS_OF_REST.get(schema)
        properties = document["schemas"][schema].get("properties", {}) if known is not None else {}
        yield from (f"{document['name']} {schema}.{name} unknown" for name in properties if name not in (known or ()))
        return
    kind = cast("Descriptor | None", request_type(cloud.server, rule.rpc).DESCRIPTOR)
    if kind and rule.body not in ("", "*"):
        kind = kind.fields_by_name[rule.body].message_type
    yield from (f"{document['name']} {one} unknown" for one in _unknown_in(document, schema, kind, set()))


def _unknown_in(document: Document, schema: str, kind: Descriptor | None, seen: set[str]) -> Iterator[str]:
    """The properties of a schema, and of those within it, that a message does not have."""
    if kind is None or schema in seen or kind.full_name.startswith("google.protobuf."):
        return
    seen.add(schema)
    fields = {field.json_name: field for field in kind.fields}
    for name, about in document["schemas"][schema].get("properties", {}).items():
        if name not in fields:
            yield f"{schema}.{name}"
            continue
        inner = about.get("$ref") or about.get("items", {}).get("$ref")
        if inner:
            yield from _unknown_in(document, inner, fields[name].message_type, seen)


if __name__ == "__main__":
    sys.exit(main())

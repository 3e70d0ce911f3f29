"""The comparison with Google's discovery documents, on documents of our own."""

import json
import zipfile
from pathlib import Path

import pytest

from localcloud import LocalCloud, discovery

RUN = {
    "name": "run",
    "rootUrl": "https://run.googleapis.com/",
    "schemas": {
        "Service": {"properties": {"name": {}, "template": {"$ref": "Template"}, "brandNew": {}}},
        "Template": {"properties": {"revision": {}, "alsoNew": {}}},
    },
    "resources": {
        "services": {
            "methods": {
                "create": {
                    "id": "run.services.create",
                    "httpMethod": "POST",
                    "flatPath": "v2/projects/{projectsId}/locations/{locationsId}/services",
                    "request": {"$ref": "Service"},
                },
                "rename": {"id": "run.services.rename", "httpMethod": "POST", "flatPath": "v2/{name}:rename"},
            }
        },
        "exports": {"methods": {"get": {"id": "run.exports.get", "httpMethod": "GET", "flatPath": "v2/exports/{id}"}}},
    },
}
STORAGE = {
    "name": "storage",
    "rootUrl": "https://storage.googleapis.com/",
    "servicePath": "storage/v1/",
    "schemas": {"Bucket": {"properties": {"labels": {}, "shiny": {}}}},
    "methods": {
        "insert": {"id": "storage.buckets.insert", "httpMethod": "POST", "path": "b", "request": {"$ref": "Bucket"}}
    },
}
MISSING = [
    "run Service.brandNew unknown",
    "run Template.alsoNew unknown",
    "run.exports.* left out",
    "run.services.rename left out",
    "storage Bucket.shiny unknown",
]

pytestmark = pytest.mark.one_python


def test_methods_and_fields_that_are_not_known() -> None:
    assert sorted(discovery.missing([RUN, STORAGE], LocalCloud())) == MISSING


def test_what_is_new_in_a_release_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package, known = tmp_path / "client.whl", tmp_path / "discovery.txt"
    with zipfile.ZipFile(package, "w") as files:
        for api, document in (("run.v2", RUN), ("storage.v1", STORAGE)):
            files.writestr(f"googleapiclient/discovery_cache/documents/{api}.json", json.dumps(document))
    monkeypatch.setattr(discovery, "APIS", ("run.v2", "storage.v1"))
    monkeypatch.setattr(discovery, "KNOWN", known)
    known.write_text("\n".join([*MISSING[1:], "run.gone left out"]))
    assert discovery.main([str(package)]) == 1
    assert capsys.readouterr().out.splitlines()[:2] == [f"+ {MISSING[0]}", "- run.gone left out"]
    assert discovery.main([str(package), "--write"]) == 0
    assert discovery.main([str(package)]) == 0
    assert known.read_text().splitlines() == MISSING


def test_the_committed_list_is_of_apis_that_are_compared() -> None:
    names = {api.partition(".")[0] for api in discovery.APIS}
    listed = {line.partition(" ")[0].partition(".")[0] for line in discovery.KNOWN.read_text().splitlines()}
    assert listed <= names
    assert "container" in listed

"""The part of Kubernetes' schemas that the tests of manifests work by."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.tools.kubernetes_schemas import KINDS, SUBSET, main, subset

pytestmark = pytest.mark.one_python


def kubernetes(folder: Path) -> Path:
    """Schemas in which every kind is alike, as kubernetes-validate has them."""
    thing = {
        "properties": {"spec": {"$ref": "/api/_definitions.json#/$defs/Spec"}, "metadata": {"$ref": "x#/$defs/Meta"}}
    }
    defs = {
        "Spec": {
            "description": "A spec.",
            "properties": {"description": {"type": "string"}, "part": {"$ref": "x#/$defs/Part"}},
        },
        "Part": {"type": ["string", "null"], "x-kubernetes-hint": 1},
        "Meta": {"type": "object"},
        "Unused": {"type": "string"},
    }
    for file in KINDS.values():
        (folder / f"{file}.json").write_text(json.dumps(thing), "utf-8")
    (folder / "_definitions.json").write_text(json.dumps({"$defs": defs}), "utf-8")
    return folder


def autoscaler() -> dict[str, Any]:
    """A definition of VerticalPodAutoscaler with an old version."""
    spec = {
        "type": "object",
        "properties": {"mode": {"enum": ["Off"]}, "limits": {"additionalProperties": {"type": "string"}}},
    }
    versions = [
        {"name": "v1", "storage": True, "schema": {"openAPIV3Schema": {"properties": {"spec": spec}}}},
        {"name": "v1beta2", "storage": False, "schema": {"openAPIV3Schema": {}}},
    ]
    names = {"kind": "VerticalPodAutoscaler"}
    return {"kind": "CustomResourceDefinition", "spec": {"group": "g", "names": names, "versions": versions}}


def test_what_is_referred_to_is_there_and_nothing_else(tmp_path: Path) -> None:
    made = subset(kubernetes(tmp_path), [autoscaler()], "here")
    assert made["$defs"] == {
        "Meta": {"type": "object"},
        "Part": {"type": ["string", "null"]},
        "Spec": {"properties": {"description": {"type": "string"}, "part": {"$ref": "#/$defs/Part"}}},
    }
    assert made["kinds"]["Deployment"]["properties"]["spec"] == {"$ref": "#/$defs/Spec"}


def test_a_custom_kind_knows_no_other_keys_than_it_lists(tmp_path: Path) -> None:
    made = subset(kubernetes(tmp_path), [autoscaler()], "here")["kinds"]["VerticalPodAutoscaler"]
    spec = made["properties"]["spec"]
    assert made["additionalProperties"] is spec["additionalProperties"] is False
    assert spec["properties"]["limits"] == {"additionalProperties": {"type": "string"}}
    assert made["properties"]["apiVersion"] == {"enum": ["g/v1"]}


def test_what_is_kept_can_be_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    definitions = tmp_path / "vpa.yaml"
    definitions.write_text(json.dumps(autoscaler()), "utf-8")
    monkeypatch.setattr("infra.tools.kubernetes_schemas.SUBSET", tmp_path / "schemas.json")
    main(str(kubernetes(tmp_path)), str(definitions))
    kept = json.loads(SUBSET.read_text("utf-8"))
    assert set(json.loads((tmp_path / "schemas.json").read_text("utf-8"))["kinds"]) == set(kept["kinds"])

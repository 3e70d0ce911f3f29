r"""Makes the part of Kubernetes' schemas by which the tests check the workers' manifests.

    pip download --no-deps kubernetes-validate==1.37.0 && unzip -d validate kubernetes_validate-*.whl
    git clone --depth 1 https://github.com/kubernetes/autoscaler
    python -m infra.tools.kubernetes_schemas validate/kubernetes_validate/kubernetes-json-schema/v1.37.0-local-strict \
        autoscaler/vertical-pod-autoscaler/deploy/vpa-v1-crd-gen.yaml

Strict: a key that Kubernetes does not know is an error. Descriptions, titles and defaults are left out.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

SUBSET = Path(__file__).parents[2] / "tests/infra/kubernetes/schemas.json"
KINDS = {"Namespace": "namespace-v1", "ServiceAccount": "serviceaccount-v1", "Deployment": "deployment-apps-v1"}
"""The kinds of Kubernetes' own, each with its file."""
CUSTOM = "VerticalPodAutoscaler"
MAPS = {"properties", "patternProperties"}
EXPLAINING = {"default", "description", "title"}

Json = dict[str, Any]


def subset(folder: Path, definitions: list[Json], source: str) -> Json:
    """The schema of each kind, and those that they refer to. Raises ``KeyError`` for one that is gone."""
    all_of_them: Json = json.loads((folder / "_definitions.json").read_text("utf-8"))["$defs"]
    kinds = {kind: _plain(json.loads((folder / f"{file}.json").read_text("utf-8"))) for kind, file in KINDS.items()}
    found: Json = {}
    waiting = set(_names(kinds))
    while waiting:
        name = waiting.pop()
        found[name] = _plain(all_of_them[name])
        waiting |= set(_names(found[name])) - found.keys()
    (custom,) = (one for one in definitions if one["spec"]["names"]["kind"] == CUSTOM)
    (version,) = (one for one in custom["spec"]["versions"] if one["storage"])
    kinds[CUSTOM] = _strict(_plain(version["schema"]["openAPIV3Schema"]))
    # The API server checks these itself, and a custom definition only names them.
    kinds[CUSTOM]["properties"] |= {
        "metadata": kinds["Deployment"]["properties"]["metadata"],
        "apiVersion": {"enum": [f"{custom['spec']['group']}/{version['name']}"]},
        "kind": {"enum": [CUSTOM]},
    }
    return {"source": source, "kinds": kinds, "$defs": dict(sorted(found.items()))}


def _plain(given: Json) -> Json:
    """A schema without what only explains, whose references are to `$defs`."""
    made: Json = {}
    for key, value in given.items():
        if key in MAPS:
            made[key] = {name: _plain(one) for name, one in value.items()}
        elif key == "$ref":
            made[key] = f"#/$defs/{value.rpartition('/')[2]}"
        elif key not in EXPLAINING and not key.startswith("x-"):
            made[key] = _within(value)
    return made


def _within(value: object) -> object:
    """A schema, a list of schemas, or what is neither."""
    if isinstance(value, list):
        return [_within(one) for one in value]
    return _plain(value) if isinstance(value, dict) else value


def _strict(given: Json) -> Json:
    """A schema that allows only the keys it lists: the API server drops others with a warning."""
    made = {
        key: _strict(value) if isinstance(value, dict) and key not in MAPS else value for key, value in given.items()
    }
    if "properties" in made:
        made["properties"] = {name: _strict(one) for name, one in made["properties"].items()}
        made["additionalProperties"] = False
    return made


def _names(value: object) -> Iterator[str]:
    """The definitions that are referred to anywhere within."""
    if isinstance(value, Mapping):
        if isinstance(reference := value.get("$ref"), str):
            yield reference.rpartition("/")[2]
        for one in value.values():
            yield from _names(one)
    elif isinstance(value, list):
        for one in value:
            yield from _names(one)


def main(folder: str, definitions: str) -> None:
    """Write the file anew."""
    source = (
        f"PyPI kubernetes-validate ({Path(folder).name}) and VPA's own definition, by infra/tools/kubernetes_schemas.py"
    )
    custom = list(yaml.safe_load_all(Path(definitions).read_text("utf-8")))
    made = subset(Path(folder), custom, source)
    SUBSET.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

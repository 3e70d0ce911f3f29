"""Makes the part of GitHub's OpenAPI description by which the local cloud checks requests, and its tests answers.

    npm pack @octokit/openapi && tar -xzf octokit-openapi-*.tgz
    python -m infra.tools.github_openapi package/generated/api.github.com.json

From OpenAPI 3.0 it makes JSON Schema (2020-12), which validators read: what is nullable gets the type null.
Descriptions, examples and other annotations are left out.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

SUBSET = Path(__file__).parents[2] / "localcloud/data/github_openapi.json"

OPERATIONS = (
    "apps/create-installation-access-token",
    "apps/get-authenticated",
    "issues/create-comment",
    "issues/delete-comment",
    "issues/get-comment",
    "issues/list-comments",
    "issues/list-comments-for-repo",
    "issues/list-labels-on-issue",
    "issues/update-comment",
    "pulls/get",
    "pulls/list",
    "repos/create-deployment",
    "repos/create-deployment-status",
    "repos/delete-an-environment",
    "repos/get",
    "repos/get-all-environments",
    "repos/get-collaborator-permission-level",
    "repos/get-commit",
    "repos/get-deployment",
    "repos/get-webhook",
    "repos/get-webhook-config-for-repo",
    "repos/list-deployment-statuses",
    "repos/list-deployments",
    "repos/list-webhooks",
    "repos/update-webhook-config-for-repo",
    "users/get-authenticated",
)
EXPLAINING = {"default", "deprecated", "description", "example", "examples", "externalDocs", "readOnly", "title"}
SCHEMA_MAPS = {"properties", "patternProperties"}
SCHEMA_LISTS = {"allOf", "anyOf", "oneOf"}
SCHEMAS = {"items", "additionalProperties", "not"}

Json = dict[str, Any]


def subset(description: Json) -> Json:
    """The operations that are served, and the schemas that they refer to. Raises ``KeyError`` for one that is gone."""
    found = {one["operationId"]: (verb, path, one) for verb, path, one in _operations(description)}
    operations = {name: _operation(description, *found[name]) for name in OPERATIONS}
    schemas: Json = {}
    waiting = set(_names(operations))
    while waiting:
        name = waiting.pop()
        schemas[name] = _schema(description["components"]["schemas"][name])
        waiting |= set(_names(schemas[name])) - schemas.keys()
    return {
        "source": f"npm @octokit/openapi {description['info']['version']}, made by infra/tools/github_openapi.py",
        "operations": operations,
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _operations(description: Json) -> Iterator[tuple[str, str, Json]]:
    for path, verbs in description["paths"].items():
        for verb, operation in verbs.items():
            yield verb, path, operation


def _operation(description: Json, verb: str, path: str, operation: Json) -> Json:
    parameters = [_resolved(description, one) for one in operation.get("parameters", [])]
    made: Json = {
        "verb": verb.upper(),
        "path": path,
        "documentation_url": operation["externalDocs"]["url"],
        "parameters": [{"name": one["name"], "in": one["in"], "schema": _schema(one["schema"])} for one in parameters],
        "answers": {
            status: _content(_resolved(description, answer))
            for status, answer in operation["responses"].items()
            if status.startswith("2")
        },
    }
    if "requestBody" in operation:
        made["body"] = {
            "required": operation["requestBody"].get("required", False),
            "schema": _content(operation["requestBody"]),
        }
    return made


def _resolved(description: Json, given: Json) -> Json:
    while "$ref" in given:
        found: Any = description
        for key in given["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        given = found
    return given


def _content(given: Json) -> Json | None:
    content = given.get("content", {}).get("application/json")
    return _schema(content["schema"]) if content else None


def _schema(given: Json) -> Json:
    """A schema of OpenAPI 3.0 as one of JSON Schema."""
    made: Json = {}
    for key, value in given.items():
        if key in EXPLAINING or key == "nullable" or key.startswith("x-"):
            continue
        if key in SCHEMA_MAPS:
            made[key] = {name: _schema(one) for name, one in value.items()}
        elif key in SCHEMA_LISTS:
            made[key] = [_schema(one) for one in value]
        elif key in SCHEMAS and isinstance(value, dict):
            made[key] = _schema(value)
        else:
            made[key] = value
    return _or_null(made) if given.get("nullable") else made


def _or_null(schema: Json) -> Json:
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    nullable = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema and None not in schema["enum"]:
        nullable["enum"] = [*schema["enum"], None]
    return nullable


def _names(value: object) -> Iterator[str]:
    """The schemas that are referred to anywhere within."""
    if isinstance(value, Mapping):
        if isinstance(reference := value.get("$ref"), str):
            yield reference.rpartition("/")[2]
        for one in value.values():
            yield from _names(one)
    elif isinstance(value, list):
        for one in value:
            yield from _names(one)


if __name__ == "__main__":
    made = subset(cast("Json", json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
    SUBSET.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")

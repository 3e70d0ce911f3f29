"""The part of GitHub's OpenAPI description that the local cloud works by."""

import json
from typing import Any

import pytest

from infra.tools.github_openapi import OPERATIONS, SUBSET, subset

pytestmark = pytest.mark.one_python


def description() -> dict[str, Any]:
    """A description in which every operation is alike."""
    thing = {
        "type": "object",
        "description": "A thing.",
        "required": ["description"],
        "properties": {
            "description": {"type": "string", "nullable": True, "example": "red"},
            "kind": {"type": "string", "enum": ["a"], "nullable": True},
            "owner": {"allOf": [{"$ref": "#/components/schemas/user"}], "nullable": True},
        },
    }
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/thing"}, "examples": {"one": {}}}}
    operation = {
        "externalDocs": {"url": "https://docs.github.com/rest/things"},
        "parameters": [{"$ref": "#/components/parameters/page"}],
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"content": content}, "204": {}, "404": {"$ref": "#/components/responses/not_found"}},
    }
    return {
        "info": {"version": "1.2.3"},
        "paths": {f"/{name}": {"get": {**operation, "operationId": name}} for name in (*OPERATIONS, "things/other")},
        "components": {
            "parameters": {"page": {"name": "page", "in": "query", "schema": {"type": "integer", "default": 1}}},
            "schemas": {"thing": thing, "user": {"type": "string", "x-github": {}}, "unused": {"type": "string"}},
        },
    }


def test_what_is_kept_and_what_is_left_out() -> None:
    made = subset(description())
    assert made["operations"].keys() == set(OPERATIONS)
    assert made["operations"]["pulls/get"] == {
        "verb": "GET",
        "path": "/pulls/get",
        "documentation_url": "https://docs.github.com/rest/things",
        "parameters": [{"name": "page", "in": "query", "schema": {"type": "integer"}}],
        "answers": {"200": {"$ref": "#/components/schemas/thing"}, "204": None},
        "body": {"required": True, "schema": {"$ref": "#/components/schemas/thing"}},
    }


def test_what_is_nullable_gets_the_type_null() -> None:
    schemas = subset(description())["components"]["schemas"]
    assert schemas == {
        "thing": {
            "type": "object",
            "required": ["description"],
            "properties": {
                "description": {"type": ["string", "null"]},
                "kind": {"type": ["string", "null"], "enum": ["a", None]},
                "owner": {"anyOf": [{"allOf": [{"$ref": "#/components/schemas/user"}]}, {"type": "null"}]},
            },
        },
        "user": {"type": "string"},
    }


def test_an_operation_that_is_gone() -> None:
    gone = description()
    del gone["paths"]["/pulls/get"]
    with pytest.raises(KeyError, match="pulls/get"):
        subset(gone)


def test_the_file_has_these_operations_and_its_licence_beside_it() -> None:
    assert json.loads(SUBSET.read_text(encoding="utf-8"))["operations"].keys() == set(OPERATIONS)
    assert "MIT License" in SUBSET.with_suffix(".LICENSE").read_text(encoding="utf-8")

"""One request to Cloud Storage: its parameters, what it names, and its JSON, each checked."""

import json
import re
from collections.abc import Collection
from typing import cast
from urllib.parse import unquote

from localcloud.core.http import HttpRequest
from localcloud.storage.errors import invalid
from localcloud.storage.state import Json

HOST = "storage.googleapis.com"
STANDARD_PARAMETERS = frozenset(
    ("alt", "fields", "key", "prettyPrint", "quotaUser", "userIp", "userProject", "projection", "uploadType")
)
"""https://cloud.google.com/storage/docs/json_api/v1/parameters"""
CONDITIONS = frozenset(
    ("ifGenerationMatch", "ifGenerationNotMatch", "ifMetagenerationMatch", "ifMetagenerationNotMatch")
)
WHOLE_NUMBER = re.compile(r"[0-9]+")
LARGEST_NUMBER = 2**63 - 1


def api_url(request: HttpRequest) -> str:
    """The URL at which the client finds the API: links lead there, as official clients follow them."""
    return request.api_url or f"https://{HOST}"


def name_in(request: HttpRequest, what: str) -> str:
    """A name in the path, decoded. Raises StorageError (400) if it is not UTF-8."""
    try:
        return unquote(request.captured[what], errors="strict")
    except UnicodeDecodeError as error:
        raise invalid(f"The {what} name is not UTF-8.") from error


def check_parameters(request: HttpRequest, known: Collection[str] = ()) -> None:
    """Raises StorageError (400) for a parameter that the local cloud does not know; the real service ignores it."""
    for name in request.query:
        if name not in STANDARD_PARAMETERS and name not in known:
            raise invalid(f"The local cloud does not know the query parameter '{name}' of {request.verb} {HOST}")


def number_in(request: HttpRequest, name: str) -> int | None:
    """A parameter that is a whole number. Raises StorageError (400) for anything else."""
    value = request.query.get(name)
    if value is None:
        return None
    if not WHOLE_NUMBER.fullmatch(value) or int(value) > LARGEST_NUMBER:
        raise invalid(f"Invalid long value: '{value}' for the parameter '{name}'.")
    return int(value)


def flag_in(request: HttpRequest, name: str) -> bool:
    """A parameter that is true or false. Raises StorageError (400) for anything else."""
    value = request.query.get(name, "false").lower()
    if value not in ("true", "false"):
        raise invalid(f"Invalid boolean value: '{value}' for the parameter '{name}'.")
    return value == "true"


def json_in(body: bytes) -> Json:
    """The JSON object of a body; an empty body is an empty one. Raises StorageError (400) for anything else."""
    try:
        content = json.loads(body) if body else {}
    except ValueError as error:
        raise invalid("Parse Error") from error
    if not isinstance(content, dict):
        raise invalid("Parse Error: not an object")
    return cast("Json", content)

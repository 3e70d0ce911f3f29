"""The names of Firestore's databases, collections and documents."""

import functools
import re

from localcloud.core.messages import invalid
from localcloud.firestore.values import LONGEST_NAME, RESERVED

DEEPEST_COLLECTION = 100
_DATABASE = re.compile(r"projects/[^/]+/databases/[^/]+")
_DOCUMENTS = re.compile(rf"(?P<database>{_DATABASE.pattern})/documents")


def check_database(name: str) -> None:
    """Raises INVALID_ARGUMENT unless it is ``projects/P/databases/D``."""
    if not _DATABASE.fullmatch(name):
        raise invalid(f'Database name "{name}" is not of the form projects/*/databases/*.')


@functools.lru_cache(maxsize=1024)
def check_document(name: str, database: str = "") -> tuple[str, ...]:
    """The collection and document ids of a document's full name, in turns.

    Raises INVALID_ARGUMENT for a name that is not a document's, or of another database than the one given.
    """
    match = _DOCUMENTS.match(name)
    if not match or not name.startswith("/", match.end()):
        raise invalid(f'Document name "{name}" lacks "projects/*/databases/*/documents/".')
    if database and match["database"] != database:
        raise invalid(f'Document name "{name}" is not of the database {database}.')
    parts = name[match.end() + 1 :].split("/")
    for part in parts:
        _check_id(part, name)
    if len(parts) % 2:
        raise invalid(f'Document name "{name}" lacks "/" at index {len(name)}.')
    if len(parts) > 2 * DEEPEST_COLLECTION:
        raise invalid(f'Document name "{name}" is more than {DEEPEST_COLLECTION} collections deep.')
    return tuple(parts)


def check_parent(name: str) -> None:
    """Raises INVALID_ARGUMENT unless it can hold collections: a document's name, or ``.../documents`` itself."""
    if not _DOCUMENTS.fullmatch(name):
        check_document(name)


def _check_id(part: str, name: str) -> None:
    if not part:
        raise invalid(f'Document name "{name}" lacks a resource id.')
    if part in {".", ".."}:
        raise invalid(f'Document name "{name}" contains a resource id "{part}".')
    if RESERVED.fullmatch(part):
        raise invalid(f'Resource id "{part}" is invalid because it is reserved.')
    if len(part.encode()) > LONGEST_NAME:
        raise invalid(f"The key path element name is longer than {LONGEST_NAME} bytes.")

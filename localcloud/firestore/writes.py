"""Apply one write to a document: preconditions, masks, transforms, limits."""

from typing import Any

import grpc
from google.cloud.firestore_v1 import types

from localcloud.core.messages import invalid
from localcloud.core.server import ApiError
from localcloud.firestore.fields import apply_transform, merge_fields
from localcloud.firestore.names import check_document
from localcloud.firestore.values import LARGEST_DOCUMENT, normalize, size_of

# Firestore's client publishes no types for its raw protobuf messages.
RawDocument = Any
RawPrecondition = Any
RawTimestamp = Any
RawWrite = Any
RawWriteResult = Any

DOCUMENT, WRITE_RESULT = types.Document.pb(), types.WriteResult.pb()


def target_of(write: RawWrite) -> str:
    """The name of the document that a write is about. INVALID_ARGUMENT if it does nothing."""
    match write.WhichOneof("operation"):
        case "update":
            name: str = write.update.name
        case "delete":
            name = write.delete
        case "transform":
            name = write.transform.document
        case _:
            raise invalid("empty write operation")
    return name


def apply_write(
    write: RawWrite, old: RawDocument | None, moment: RawTimestamp
) -> tuple[RawDocument | None, RawWriteResult]:
    """The document after a write (None if it is deleted) and the write's result; ``old`` stays as it is.

    A write that changes nothing keeps the time of the last update. Raises NOT_FOUND, ALREADY_EXISTS or
    FAILED_PRECONDITION for a precondition that does not hold, INVALID_ARGUMENT for what cannot be stored.
    """
    name = target_of(write)
    path = check_document(name)
    _check_precondition(write.current_document, name, old)
    result = WRITE_RESULT()
    if write.WhichOneof("operation") == "delete":
        return None, result
    before = old or DOCUMENT(create_time=moment, update_time=moment)
    new = DOCUMENT(name=name, create_time=before.create_time, update_time=before.update_time)
    _fill(new, write, old)
    for transform in [*write.update_transforms, *write.transform.field_transforms]:
        result.transform_results.append(apply_transform(new.fields, transform, moment))
    normalize(new.fields, old.fields if old is not None else None)
    # A value takes at most four times the bytes that protobuf sends for it: a small document is not added up.
    size = size_of(path, new.fields) if 4 * new.ByteSize() > LARGEST_DOCUMENT else 0
    if size > LARGEST_DOCUMENT:
        raise invalid(
            f"Document '{name}' cannot be written because its size ({size:,} bytes) exceeds the maximum allowed size of"
            f" {LARGEST_DOCUMENT:,} bytes."
        )
    if new != old:
        new.update_time.CopyFrom(moment)
    result.update_time.CopyFrom(new.update_time)
    return new, result


def _fill(new: RawDocument, write: RawWrite, old: RawDocument | None) -> None:
    """Set the fields: those of the update, or only its masked ones on top of the old."""
    is_partial = write.HasField("update_mask") or write.WhichOneof("operation") == "transform"
    if is_partial and old is not None:
        new.fields.MergeFrom(old.fields)
    if write.HasField("update_mask"):
        merge_fields(new.fields, write.update.fields, write.update_mask.field_paths)
    elif not is_partial:
        new.fields.MergeFrom(write.update.fields)


def _check_precondition(condition: RawPrecondition, name: str, old: RawDocument | None) -> None:
    match condition.WhichOneof("condition_type"):
        case "exists" if condition.exists and old is None:
            raise ApiError(grpc.StatusCode.NOT_FOUND, f"No document to update: {name}")
        case "exists" if not condition.exists and old is not None:
            raise ApiError(grpc.StatusCode.ALREADY_EXISTS, f"Document already exists: {name}")
        case "update_time" if old is None or old.update_time != condition.update_time:
            stored = old.update_time.ToMicroseconds() if old else 0
            required = condition.update_time.ToMicroseconds()
            raise ApiError(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"the stored version ({stored}) does not match the required base version ({required})",
            )

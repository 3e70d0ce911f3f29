"""Firestore's structured queries, as far as a small suite uses them: filters on fields, order, limit and offset."""

import operator
from collections.abc import Iterable
from functools import cmp_to_key
from typing import Any

import grpc

from local.cloud.engine import ApiError
from local.cloud.firestore_fields import path_of

OPERATORS = {1: operator.lt, 2: operator.le, 3: operator.gt, 4: operator.ge, 5: operator.eq, 6: operator.ne}
AND, DESCENDING = 1, 2


def select(query: Any, parent: str, documents: Iterable[Any]) -> list[Any]:
    """The documents under ``parent`` that the query selects. UNIMPLEMENTED for what is not served."""
    if query.HasField("start_at") or query.HasField("end_at"):
        raise ApiError(grpc.StatusCode.UNIMPLEMENTED, "cursors are not served by the local cloud")
    source = query.from_[0]
    found = [one for one in documents if _is_in(one.name, parent, source) and _passes(one, query.where)]
    found.sort(key=lambda one: one.name)
    for order in reversed(query.order_by):
        path = order.field.field_path
        if path != "__name__":
            found = [one for one in found if _field(one, path) is not None]
            found.sort(key=cmp_to_key(lambda a, b, path=path: _compare(_field(a, path), _field(b, path))))
        else:
            found.sort(key=lambda one: one.name)
        if order.direction == DESCENDING:
            found.reverse()
    limit = query.limit.value if query.HasField("limit") else None
    return found[query.offset :][:limit]


def _is_in(name: str, parent: str, source: Any) -> bool:
    collection, _, _ = name.rpartition("/")
    above, _, collection_id = collection.rpartition("/")
    return collection_id == source.collection_id and (
        above == parent or (source.all_descendants and above.startswith(parent))
    )


def _passes(document: Any, where: Any) -> bool:
    match where.WhichOneof("filter_type"):
        case None:
            return True
        case "composite_filter":
            passed = [_passes(document, one) for one in where.composite_filter.filters]
            return all(passed) if where.composite_filter.op == AND else any(passed)
        case "field_filter":
            condition = where.field_filter
            value = _field(document, condition.field.field_path)
            if condition.op not in OPERATORS:
                raise ApiError(grpc.StatusCode.UNIMPLEMENTED, "this operator is not served by the local cloud")
            if value is None or value.WhichOneof("value_type") != condition.value.WhichOneof("value_type"):
                return False
            return bool(OPERATORS[condition.op](_compare(value, condition.value), 0))
        case kind:
            raise ApiError(grpc.StatusCode.UNIMPLEMENTED, f"a {kind} is not served by the local cloud")


def _field(document: Any, text: str) -> Any:
    fields = document.fields
    *outer, leaf = path_of(text)
    for part in outer:
        if part not in fields:
            return None
        fields = fields[part].map_value.fields
    return fields[leaf] if leaf in fields else None


def _compare(one: Any, other: Any) -> int:
    first, second = _comparable(one), _comparable(other)
    return (first > second) - (first < second)


def _comparable(value: Any) -> Any:
    kind = value.WhichOneof("value_type")
    plain = getattr(value, kind)
    return (plain.seconds, plain.nanos) if kind == "timestamp_value" else plain

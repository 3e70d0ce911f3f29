"""Firestore's structured queries, as far as a small suite uses them: filters on fields, order, offset, limit."""

import operator
from collections.abc import Callable, Iterable
from typing import Any

import grpc
from google.cloud.firestore_v1 import types

from localcloud.core.messages import invalid
from localcloud.core.server import ApiError
from localcloud.firestore.fields import find, parts_of
from localcloud.firestore.raw import RawValue
from localcloud.firestore.values import RANK, kind_of, sort_key

# Firestore's client publishes no types for its raw protobuf messages.
RawDocument = Any
RawQuery = Any
RawCollection = Any
RawFilter = Any
Key = tuple[Any, ...]

NAME = "__name__"
AND, DESCENDING, EQUAL, NOT_EQUAL = 1, 2, 5, 6
OPERATORS: dict[int, Callable[[Key, Key], bool]] = {
    1: operator.lt,
    2: operator.le,
    3: operator.gt,
    4: operator.ge,
    EQUAL: operator.eq,
    NOT_EQUAL: operator.ne,
}
UNSERVED = ("start_at", "end_at", "find_nearest")


def select(query: RawQuery, parent: str, documents: Iterable[RawDocument]) -> list[RawDocument]:
    """The documents under ``parent`` that the query selects, in its order. UNIMPLEMENTED for what is not served."""
    _check(query)
    found = [one for one in documents if _is_in(one.name, parent, query.from_[0]) and _passes(one, query.where)]
    for path, is_descending in reversed(_order(query)):
        valued = [(sort_key(value), one) for one in found if (value := _value(one, path)) is not None]
        found = [one for _, one in sorted(valued, key=operator.itemgetter(0), reverse=is_descending)]
    last = query.offset + query.limit.value if query.HasField("limit") else None
    return found[query.offset : last]


def _check(query: RawQuery) -> None:
    for feature in UNSERVED:
        if query.HasField(feature):
            raise _unserved(f"{feature} in a query")
    if len(query.from_) != 1 or not query.from_[0].collection_id:
        raise _unserved("a query over other than one collection")
    if query.offset < 0 or query.limit.value < 0:
        raise invalid("limit is negative" if query.limit.value < 0 else "offset is negative")


def _order(query: RawQuery) -> list[tuple[str, bool]]:
    """The field paths to sort by, and whether downwards. Fields compared come first, the document's name last.

    https://cloud.google.com/firestore/docs/reference/rpc/google.firestore.v1#structuredquery (order_by)
    """
    order = [(one.field.field_path, one.direction == DESCENDING) for one in query.order_by]
    is_descending = order[-1][1] if order else False
    for path in [*sorted(_compared(query.where)), NAME]:
        if path not in [known for known, _ in order]:
            order.append((path, is_descending))
    return order


def _compared(where: RawFilter) -> set[str]:
    """The fields that a filter compares other than for being equal."""
    if where.WhichOneof("filter_type") == "composite_filter":
        return {path for one in where.composite_filter.filters for path in _compared(one)}
    if where.WhichOneof("filter_type") == "field_filter" and where.field_filter.op != EQUAL:
        return {where.field_filter.field.field_path}
    return set()


def _is_in(name: str, parent: str, collection: RawCollection) -> bool:
    above, collection_id, _ = name.rsplit("/", 2)
    is_below = above == parent or (collection.all_descendants and above.startswith(f"{parent}/"))
    return bool(collection_id == collection.collection_id and is_below)


def _passes(document: RawDocument, where: RawFilter) -> bool:
    match where.WhichOneof("filter_type"):
        case None:
            return True
        case "composite_filter":
            passed = [_passes(document, one) for one in where.composite_filter.filters]
            return all(passed) if where.composite_filter.op == AND else any(passed)
        case "field_filter":
            return _compares(document, where.field_filter)
        case kind:
            raise _unserved(f"a {kind}")


def _compares(document: RawDocument, condition: RawFilter) -> bool:
    if condition.op not in OPERATORS:
        raise _unserved(f"the operator {condition.op} of a field filter")
    value = _value(document, condition.field.field_path)
    if value is None:
        return False
    first, second = sort_key(value), sort_key(condition.value)
    if condition.op == NOT_EQUAL:
        return kind_of(value) != "null_value" and first != second
    # A comparison selects only values of the kind that it compares with.
    return first[0] == RANK[kind_of(condition.value)] and OPERATORS[condition.op](first, second)


def _value(document: RawDocument, path: str) -> RawValue | None:
    if path == NAME:
        return types.Value.pb()(reference_value=document.name)
    return find(document.fields, parts_of(path))


def _unserved(what: str) -> ApiError:
    return ApiError(grpc.StatusCode.UNIMPLEMENTED, f"{what} is not served by the local cloud")

"""JSON and plain values as typed values, in any thread.

msgspec works out how to read a type when the type is first used, and may end the process if threads do that at the same
time (docs/surprises.md). So all of the suite reads typed values by this module, which lets one thread at a time.
"""

import threading
from typing import Any, TypeVar, overload

import msgspec
from msgspec.json import Decoder

ValueT = TypeVar("ValueT")

_FIRST_USE = threading.RLock()
_DECODERS: dict[object, "Decoder[Any]"] = {}


@overload
def decoder_of(type_: type[ValueT]) -> "Decoder[ValueT]": ...
@overload
def decoder_of(type_: object) -> "Decoder[Any]": ...
def decoder_of(type_: object) -> "Decoder[Any]":
    """The one decoder of a type. From then on msgspec knows the type, and all that it consists of."""
    known = _DECODERS.get(type_)
    if known is None:
        with _FIRST_USE:
            known = _DECODERS[type_] = Decoder(type_)
    return known


@overload
def decoded(data: bytes | str, type_: type[ValueT], *, strict: bool = True) -> ValueT: ...
@overload
def decoded(data: bytes | str, type_: object, *, strict: bool = True) -> Any: ...  # noqa: ANN401 - as msgspec has it
def decoded(data: bytes | str, type_: object, *, strict: bool = True) -> object:
    """The value of some JSON; ``strict=False`` accepts texts for numbers. Raises as ``msgspec.json.decode`` does."""
    decoder = decoder_of(type_)
    return decoder.decode(data) if strict else msgspec.json.decode(data, type=type_, strict=False)


@overload
def converted(value: object, type_: type[ValueT], *, strict: bool = True) -> ValueT: ...
@overload
def converted(value: object, type_: object, *, strict: bool = True) -> Any: ...  # noqa: ANN401 - as msgspec has it
def converted(value: object, type_: object, *, strict: bool = True) -> object:
    """Plain values as a typed one; ``strict=False`` accepts texts for numbers. Raises as ``msgspec.convert`` does."""
    decoder_of(type_)
    return msgspec.convert(value, type_, strict=strict)

"""Lets proto-plus read strings, booleans and numbers without a search through every Google package.

For each field that is read or set it looks for a rule by the field's type, and for a type without one in the rules of
all packages that are imported, of which the local cloud has dozens (proto-plus 1.29, ``BaseMarshal.get_rule``).
"""

from typing import Any

from proto.marshal.marshal import NoopRule
from proto.primitives import ProtoType


def find_at_once(marshal: Any) -> None:  # noqa: ANN401 - proto-plus has no types
    """Give a package's marshal a rule that does nothing for each plain type that it has no rule for."""
    for plain in ProtoType:
        if type(marshal.get_rule(plain)) is NoopRule:
            marshal.register(plain, NoopRule())

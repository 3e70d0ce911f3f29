"""Firestore's fields and values as raw protobuf messages, which are several times faster than their wrappers."""

from typing import Any

# Google's client publishes no type for them.
RawFields = Any
RawValue = Any

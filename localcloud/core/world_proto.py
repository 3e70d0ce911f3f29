"""A resource's further fields in a world: under ``proto``, in the words of the API."""

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

Proto = dict[str, object]


def complete(message: Message, proto: Proto) -> None:
    """Add what is said under ``proto`` to what was said in short. Raises ``ValueError`` for what is said in both."""
    further = ParseDict(proto, type(message)())
    said = {field.name for field, _ in message.ListFields()}
    for field, _ in further.ListFields():
        if field.name in said:
            raise ValueError(f"proto.{field.name}: this is said in its short form already; say it once")
    message.MergeFrom(further)

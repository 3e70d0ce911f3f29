"""The contract of a kind of secret."""

from typing import Protocol


class Kind(Protocol):
    """Creates values of one kind, and sets them in the system behind them. No value may be logged.

    Its order of stages is with its settings. Each method may be called again after it has taken effect.
    """

    def generate(self, current: bytes) -> bytes:
        """A new value, to follow the current one (empty if there is none). Raises ``CaretakerError``."""

    def adapt(self, current: bytes, new: bytes) -> bytes:
        """The current value of a secret that rotates together with another, with what is new in that one's value.

        Raises ``CaretakerError``.
        """

    def set_value(self, new: bytes, current: bytes) -> None:
        """Have the system behind it accept the new value, and test that it does; as before if the test fails.

        Raises ``CaretakerError`` or ``GoogleAPIError``.
        """

    def test(self, value: bytes) -> None:
        """Test that the system behind it accepts a value, if that can be tested. Raises as ``set_value``."""

    def revoke(self, current: bytes) -> None:
        """Have the system behind it accept nothing but the current value, if it still does. Raises as ``set_value``.

        The old values are not given: they may have been disabled already.
        """

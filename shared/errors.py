"""The few errors that the suite raises itself, each saying what to do about it."""


class CaretakerError(Exception):
    """Anything that went wrong and that a person can be told about in one sentence."""


class SettingsError(CaretakerError, ValueError):
    """A setting is wrong: names the key, the value, and what would do.

    A ``ValueError`` too, so that a settings type may raise it while msgspec makes one.
    """

    def __init__(self, key: str, value: object, what_would_do: str) -> None:
        self.key = key
        self.value = value
        self.what_would_do = what_would_do
        super().__init__(f"{key}: {value!r} will not do: {what_would_do}")


class IgnoredMessage(CaretakerError):
    """A message that can never succeed: it is acknowledged, reported and counted, and touches nothing."""


class RunFailed(CaretakerError):
    """Part of a run failed and is still owed: raised so that Pub/Sub delivers the message again."""


class WriteConflict(CaretakerError):
    """A document was changed by another run between our read and our write."""

"""A random text, known only to those who read the secret."""

import secrets

import msgspec

from functions.rotate_secrets.settings import Random


def random_text(length: int, alphabet: str) -> str:
    """So many characters of an alphabet, each as likely as any other, by the system's source for secrets."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


class RandomText(msgspec.Struct, frozen=True):
    """See `Kind`: there is no system behind it."""

    settings: Random

    def generate(self, current: bytes) -> bytes:
        """A new text."""
        del current
        return random_text(self.settings.length, self.settings.alphabet).encode()

    def adapt(self, current: bytes, new: bytes) -> bytes:
        """No other secret holds the same text in another form."""
        raise NotImplementedError

    def set_value(self, new: bytes, current: bytes) -> None:
        """Nothing has to accept it."""

    def test(self, value: bytes) -> None:
        """Nothing has to accept it."""

    def revoke(self, current: bytes) -> None:
        """Nothing has accepted it."""

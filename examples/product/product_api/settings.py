"""The API's settings, from its environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self


class SettingsError(ValueError):
    """An environment variable is invalid; the message names it, its value, and what is expected."""


@dataclass(frozen=True)
class Settings:
    """All of it, read once at the start."""

    is_serverless: bool
    """On Cloud Run, as a service: instances come and go, and keep no connection."""
    exports_traces: bool
    """Whether traces go to Cloud Trace: on Cloud Run and in a cluster, unless TRACE_EXPORT says otherwise."""
    commit: str
    """The commit that it was built from, which the image knows; empty if unknown."""
    project: str
    """The project whose Cloud Trace logs are linked to; empty where there is none."""
    host: str
    """The address to listen on: a container sets 0.0.0.0."""
    port: int
    concurrent_requests: int
    """The number of requests that are answered at a time, and so of connections that an instance holds at most."""
    trace_ratio: float
    trace_endpoint: str
    """HOST:PORT of what stands in for Cloud Trace, without TLS; empty for Google's."""
    database_url: str = field(repr=False)
    """As ``postgresql://user:password@host/database``, which is how rotate_secrets keeps it."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """Read them. Raises ``SettingsError``."""
        is_serverless = "K_SERVICE" in environment
        is_deployed = is_serverless or "KUBERNETES_SERVICE_HOST" in environment
        return cls(
            is_serverless=is_serverless,
            exports_traces=_one_of(environment, "TRACE_EXPORT", ("none", "cloud"), is_deployed) == "cloud",
            commit=environment.get("COMMIT", ""),
            project=environment.get("GOOGLE_CLOUD_PROJECT", ""),
            host=environment.get("HOST", "127.0.0.1"),
            port=_whole(environment, "PORT", 8080),
            concurrent_requests=_whole(environment, "CONCURRENT_REQUESTS", 40),
            trace_ratio=_part(environment, "TRACE_RATIO", 0.1),
            trace_endpoint=environment.get("TRACE_ENDPOINT", ""),
            database_url=_address(environment, "DATABASE_URL"),
        )


def _whole(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise SettingsError(f"{name} is {text!r}: it must be a whole number of at least 1")
    return int(text)


def _address(environment: Mapping[str, str], name: str) -> str:
    address = environment.get(name, "")
    if not address.startswith(("postgresql://", "postgres://")):
        # It may hold a password, so it is not shown.
        raise SettingsError(f"invalid {name}; expected an address such as postgresql://user:password@host/database")
    return address


def _one_of(environment: Mapping[str, str], name: str, words: tuple[str, ...], default: int) -> str:
    text = environment.get(name, words[default])
    if text not in words:
        raise SettingsError(f"{name} is {text!r}: it must be {' or '.join(words)}")
    return text


def _part(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, str(default))
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise SettingsError(f"{name} is {text!r}: it must be a number from 0 to 1")
    return number

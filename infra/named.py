"""What a section of the owner's settings names: the resources on which an automation is granted its permissions."""

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

FULL_NAME = re.compile(r"^projects/(?P<project>[a-z][a-z0-9:.-]+)/(?P<collection>[A-Za-z]+)/")
IMAGE = re.compile(r"^(?P<location>[a-z0-9-]+)-docker\.pkg\.dev/(?P<project>[^/]+)/(?P<repository>[^/]+)/")
ACCOUNT = r"^[a-z0-9-]+@[a-z0-9-]+\.iam\.gserviceaccount\.com$"


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """The resources that one section names, and all keys that it has at any depth."""

    keys: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    """Full names."""
    buckets: dict[str, str] = {}
    """With the project of each: the one that stands beside it, or else the suite's."""
    repositories: tuple[str, ...] = ()
    """Of images, by full names."""
    accounts: tuple[str, ...] = ()
    """Addresses of service accounts."""
    billing_accounts: tuple[str, ...] = ()


def named_in(section: object, project: str) -> Named:
    """What a section of `caretaker.yaml` names, of a suite that runs in ``project``."""
    pairs = list(_pairs(section))
    texts = [value for _, value in pairs]
    full = [found for text in texts if (found := FULL_NAME.match(text))]
    images = [found for text in texts if (found := IMAGE.match(text))]
    return Named(
        keys=_sorted(_keys(section)),
        projects=_sorted(
            [value for key, value in pairs if key in {"project", "projects"}] + [found["project"] for found in full]
        ),
        secrets=_sorted("/".join(found.string.split("/")[:4]) for found in full if found["collection"] == "secrets"),
        buckets=dict(sorted(_buckets(section, project))),
        repositories=_sorted(
            f"projects/{found['project']}/locations/{found['location']}/repositories/{found['repository']}"
            for found in images
        ),
        accounts=_sorted(text for text in texts if re.match(ACCOUNT, text)),
        billing_accounts=_sorted(value for key, value in pairs if key == "billing_account"),
    )


def _pairs(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text with the key that it stands under, a list's texts with the key of the list."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _pairs(inner, str(name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _pairs(inner, key)
    elif isinstance(value, str):
        yield key, value


def _keys(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from map(str, value)
        for inner in value.values():
            yield from _keys(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _keys(inner)


def _buckets(value: object, project: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        beside = value.get("project")
        here = beside if isinstance(beside, str) else project
        bucket = value.get("bucket")
        if isinstance(bucket, str):
            yield bucket.removeprefix("gs://").partition("/")[0], here
        for inner in value.values():
            yield from _buckets(inner, here)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _buckets(inner, project)


def _sorted(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(texts)))

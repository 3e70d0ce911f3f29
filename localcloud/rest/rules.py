"""Google's http rules: which REST request is which RPC, and where in it the fields of the RPC's request are.

https://github.com/googleapis/googleapis/blob/master/google/api/http.proto. They are data (``rules.txt``, a line for
each rule), generated from the REST transports of the official packages, which are slow to import.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote

PATH = Path(__file__).with_name("rules.txt")
NO_BODY = "-"

_VARIABLE = re.compile(r"\{(?P<field>[^=}]+)(?:=(?P<segments>[^}]+))?\}")
_ONE_SEGMENT = re.compile(r"[^/]*")
_CUSTOM_VERB = re.compile(r":[A-Za-z]+$")
_DOCUMENTS = {
    "documents/*/**": "documents(?:/[^/]+/[^/]+)+",
    "documents/**": "documents(?:/[^/]+/[^/]+)*",
}
"""Of Firestore, a document, and one or the root: in what follows, collections and documents take turns."""
_REGIONAL = re.compile(r"(?:[a-z]+-[a-z]+\d+-)?(?P<api>[a-z]+)(?:\.[a-z]+-[a-z]+\d+\.rep)?\.googleapis\.com")
"""The hosts of one region: europe-west1-run.googleapis.com, secretmanager.europe-west1.rep.googleapis.com."""


@dataclass(frozen=True)
class Rule:
    """One way to call an RPC over REST."""

    verb: str
    template: str
    """Of the path: ``/v2/{name=projects/*/locations/*/services/*}``."""
    rpc: str
    """``google.cloud.run.v2.Services/GetService``."""
    body: str
    """The field of the request that is the body, ``*`` for all of it, "" for none."""

    @functools.cached_property
    def pattern(self) -> re.Pattern[str]:
        """The pattern of the path; its groups are the values of `fields`."""
        text, end = "", 0
        for found in _VARIABLE.finditer(self.template):
            text += re.escape(self.template[end : found.start()]) + f"({_segments(found['segments'] or '*')})"
            end = found.end()
        return re.compile(text + re.escape(self.template[end:]))

    @functools.cached_property
    def fields(self) -> tuple[str, ...]:
        """The fields that are in the path, in its order: ``name``, ``topic.name``."""
        return tuple(found["field"] for found in _VARIABLE.finditer(self.template))

    def captured(self, path: str) -> dict[str, str] | None:
        """The fields in a path as it was sent (with its slash before, and encoded); None if it is of another rule."""
        found = self.pattern.fullmatch(path)
        return dict(zip(self.fields, map(_decoded, found.groups()), strict=True)) if found else None

    @property
    def order(self) -> tuple[bool, int]:
        """The order of rules: custom verbs first, as plain patterns match them too; then long ones."""
        return not _CUSTOM_VERB.search(self.template), -self.template.count("/")

    def line(self, host: str) -> str:
        """The rule as a line of the data file."""
        return f"{host} {self.verb} {self.template} {self.rpc} {self.body or NO_BODY}"


@functools.cache
def rules() -> Mapping[str, tuple[Rule, ...]]:
    """All rules by the API's host, in the order in which they are to be tried."""
    found: dict[str, list[Rule]] = {}
    for line in PATH.read_text(encoding="utf-8").splitlines():
        host, verb, template, rpc, body = line.split()
        found.setdefault(host, []).append(Rule(verb, template, rpc, "" if body == NO_BODY else body))
    return {host: tuple(sorted(of_host, key=lambda rule: rule.order)) for host, of_host in found.items()}


def api_of(host: str) -> str:
    """The host of the API that a regional host serves, or the host itself."""
    found = _REGIONAL.fullmatch(host)
    return f"{found['api']}.googleapis.com" if found else host


@functools.lru_cache(maxsize=1024)
def rule_of(host: str, verb: str, path: str) -> tuple[Rule, Mapping[str, str]] | None:
    """The rule that a request fits best, with the fields in its path."""
    for rule in rules().get(api_of(host), ()):
        if rule.verb == verb and (captured := rule.captured(path)) is not None:
            return rule, MappingProxyType(captured)
    return None


def _segments(segments: str) -> str:
    """A pattern for the segments of a variable: ``*`` is one, ``**`` any number."""
    before, slash, last = segments.partition("documents/")
    text = re.escape(before).replace(r"\*\*", ".*").replace(r"\*", "[^/]+")
    return text + _DOCUMENTS[slash + last] if slash else text


def _decoded(value: str) -> str:
    """A value without percent signs; in one of several segments ``%2F`` stays, as it separates none."""
    if _ONE_SEGMENT.fullmatch(value):
        return unquote(value)
    return "%2F".join(unquote(part) for part in re.split("%2[Ff]", value))

"""The bucket of the backups, by Cloud Storage's JSON API: https://cloud.google.com/storage/docs/json_api/v1."""

import contextlib
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import msgspec

from jobs.job import JobFailed
from shared.clients import Clients
from shared.decoding import decoded
from shared.errors import no_answer

if TYPE_CHECKING:
    from requests import Response

HOST = "https://storage.googleapis.com"
JSON = {"Content-Type": "application/json; charset=UTF-8"}
PIECE = 64 * 1024
ATTEMPTS = 5

ResultT = TypeVar("ResultT")


class StoredObject(msgspec.Struct, frozen=True, rename="camel"):
    """An object, as far as a backup is concerned. Numbers are strings in the API."""

    name: str
    generation: str
    metageneration: str
    size: str
    md5_hash: str = ""
    """Base64; empty for what was composed of others."""
    metadata: dict[str, str] = {}


class _Name(msgspec.Struct, frozen=True):
    name: str


class _Refusal(msgspec.Struct, frozen=True):
    message: str = ""


class _Error(msgspec.Struct, frozen=True):
    error: _Refusal


class _Page(msgspec.Struct, frozen=True, rename="camel"):
    items: tuple[_Name, ...] = ()
    next_page_token: str = ""


class Bucket:
    """One bucket. What it raises is what Google's clients raise, and ``JobFailed``."""

    def __init__(self, clients: Clients, name: str) -> None:
        self.clients = clients
        self.name = name
        self._objects = f"/storage/v1/b/{quote(name, safe='')}/o"

    def names(self, prefix: str) -> Iterator[str]:
        """The names of all objects that begin with a prefix."""
        page = self._page({"prefix": prefix})
        yield from (item.name for item in page.items)
        while page.next_page_token:
            page = self._page({"prefix": prefix, "pageToken": page.next_page_token})
            yield from (item.name for item in page.items)

    def read(self, name: str) -> StoredObject:
        """An object as it is now, without its content."""
        answer = self.clients.repeated(lambda: self.ask("GET", self._object(name)))
        return decoded(answer.content, StoredObject)

    def content(self, stored: StoredObject) -> Iterator[bytes]:
        """The content of this very generation, piece by piece; a connection that breaks is resumed."""
        offset, size, fruitless = 0, int(stored.size), 0
        while offset < size:
            started = offset
            for piece in self._content_from(stored, offset):
                offset += len(piece)
                yield piece
            fruitless = fruitless + 1 if offset == started else 0
            if fruitless == ATTEMPTS:
                raise JobFailed(f"{stored.name} ended at {offset} of {size} bytes, {ATTEMPTS} times")

    def set_metadata(self, stored: StoredObject, metadata: Mapping[str, str | None]) -> StoredObject:
        """Set these keys of its custom metadata, or with None take them away, and leave all others as they are.

        Raises ``JobFailed`` if the object has been replaced since it was read.
        """
        from google.api_core.exceptions import PreconditionFailed, ServiceUnavailable

        known = stored

        def attempt() -> StoredObject:
            nonlocal known
            parameters = {"generation": known.generation, "ifMetagenerationMatch": known.metageneration}
            body = {"metadata": metadata}
            try:
                answer = self.ask("PATCH", self._object(known.name), parameters=parameters, body=body)
            except PreconditionFailed:
                # Someone else has changed it, or an earlier attempt of ours was made and its answer lost.
                known = self.read(known.name)
                if known.generation != stored.generation:
                    raise JobFailed(f"{known.name} was replaced by another object meanwhile") from None
                if {key: known.metadata.get(key) for key in metadata} == dict(metadata):
                    return known
                raise ServiceUnavailable(f"the metadata of {known.name} was changed meanwhile") from None
            return decoded(answer.content, StoredObject)

        return self.clients.repeated(attempt)

    def ask(
        self,
        verb: str,
        address: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: object = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        is_streamed: bool = False,
    ) -> "Response":
        """One request to a path of the API or to a full address, and its answer if that is no error.

        Raises what Google's clients raise, which does not contain the address: that of an upload is as good as a
        password.
        """
        from google.api_core.exceptions import from_http_status

        url = self.clients.url(f"{HOST}{address}") if address.startswith("/") else address
        with no_answer(f"{verb} gs://{self.name}"):
            answer = self.clients.session.request(
                verb,
                url,
                params=parameters,
                data=data if body is None else msgspec.json.encode(body),
                headers={**(headers or {}), **({} if body is None else JSON)},
                timeout=self.clients.reading["timeout"],
                stream=is_streamed,
                allow_redirects=False,
            )
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            raise from_http_status(answer.status_code, f"{verb} gs://{self.name}: {_said(answer)}")
        return answer

    def _page(self, parameters: Mapping[str, str]) -> _Page:
        parameters = {**parameters, "fields": "items(name),nextPageToken"}
        answer = self.clients.repeated(lambda: self.ask("GET", self._objects, parameters=parameters))
        return decoded(answer.content, _Page)

    def _object(self, name: str) -> str:
        return f"{self._objects}/{quote(name, safe='')}"

    def _content_from(self, stored: StoredObject, offset: int) -> Iterator[bytes]:
        """The content from here on, as far as one connection brings it."""
        import requests

        parameters = {"alt": "media", "generation": stored.generation}
        headers = {"Range": f"bytes={offset}-", "Accept-Encoding": "identity"}
        answer = self.clients.repeated(
            lambda: self.ask("GET", self._object(stored.name), parameters=parameters, headers=headers, is_streamed=True)
        )
        with answer, contextlib.suppress(requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            yield from answer.iter_content(PIECE)


def _said(answer: "Response") -> str:
    """The error in an answer, in Google's words if it has any."""
    try:
        return decoded(answer.content, _Error).error.message or answer.reason
    except msgspec.DecodeError:
        return answer.reason

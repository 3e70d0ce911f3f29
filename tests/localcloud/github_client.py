"""Requests to GitHub on the local cloud, each answer checked against GitHub's own description, for tests."""

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import urlsplit

import requests

from localcloud import LocalCloud
from localcloud.github.schema import HOST, description, problems


class GitHubClient:
    """Someone's requests, with a token; ``calls`` are the operations that were answered well."""

    def __init__(self, cloud: LocalCloud, token: str = "") -> None:
        self.url = f"{cloud.http_address}/{HOST}"
        self.calls: list[str] = []
        self.session = requests.Session()
        self.session.trust_env = False
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.close()

    def send(self, verb: str, path: str, body: object = None, **parameters: object) -> requests.Response:
        """The answer; an error has GitHub's form."""
        given = {name: str(value) for name, value in parameters.items()}
        url = path if path.startswith("http") else f"{self.url}/{path}"
        answer = self.session.request(verb, url, json=cast("Any", body), params=given, timeout=10)
        if answer.status_code >= 400:
            content = answer.json()
            assert content["status"] == str(answer.status_code)
            assert content["message"]
            assert content["documentation_url"].startswith("https://docs.github.com/rest")
        else:
            self._check(answer)
        return answer

    def ok(self, verb: str, path: str, body: object = None, **parameters: object) -> Any:
        """The body of a successful answer."""
        answer = self.send(verb, path, body, **parameters)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def _check(self, answer: requests.Response) -> None:
        path = urlsplit(answer.url).path.lstrip("/")
        name, operation = next(
            (name, one)
            for name, one in description().operations.items()
            if one.verb == answer.request.method and re.fullmatch(one.pattern, path)
        )
        self.calls.append(name)
        schema = operation.answers[str(answer.status_code)]
        if schema is None:
            assert not answer.content
        else:
            assert list(problems(schema, answer.json())) == []


def refusal(answer: requests.Response) -> tuple[int, str]:
    """Status and message of an error."""
    content: Mapping[str, str] = answer.json()
    return answer.status_code, content["message"]

"""One request from outside: checked, looked at, published, answered. Nothing is trusted before the signature is."""

import re
from collections.abc import Callable
from http import HTTPStatus

from flask import Request, Response
from werkzeug.exceptions import ClientDisconnected

from functions.receive_github.payload import read_payload
from functions.receive_github.settings import Settings
from functions.receive_github.webhook_secrets import WebhookSecrets
from shared.errors import IgnoredMessage, cloud_errors, in_words
from shared.github_events import GithubEvent
from shared.report import Severity, write_log

LARGEST_BODY = 25 * 1024 * 1024
"""Bytes: GitHub sends no more (https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap)."""
SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")
DELIVERY = re.compile(r"[0-9A-Za-z-]{1,64}")

Publish = Callable[[GithubEvent, str], None]
"""Publishes an event with the id of its delivery, and returns when that is confirmed. Raises what a call raises."""


class Refused(Exception):
    """A request that is answered with an error, and goes no further."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


def answer(request: Request, secrets: WebhookSecrets, settings: Settings, publish: Publish) -> Response:
    """The answer to a request: 202 when it was published, and that is confirmed; 204 if no automation wants it."""
    try:
        body = _signed_body(request, secrets)
    except Refused as refused:
        return _refusal(refused)  # Cloud Run logs that already: strangers cause no lines of ours
    try:
        return _take(request, body, settings, publish)
    except Refused as refused:
        write_log(Severity.INFO, f"webhook refused with {refused.status.value}: {refused}")
        return _refusal(refused)


def _signed_body(request: Request, secrets: WebhookSecrets) -> bytes:
    """The raw bytes of a webhook whose signature is good."""
    signature = _signature(request)
    body = _body(request)
    if not secrets.accept(body, signature):
        raise Refused(HTTPStatus.FORBIDDEN, "the signature is of another secret, or of another body")
    return body


def _signature(request: Request) -> str:
    """The signature of a request that may be a webhook: nothing is read of the body of any other."""
    if request.method != "POST":
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "webhooks are sent with POST")
    if request.mimetype != "application/json":
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "webhooks are application/json: set that at GitHub")
    signature = request.headers.get("X-Hub-Signature-256", "")
    if not signature:
        raise Refused(HTTPStatus.UNAUTHORIZED, "no X-Hub-Signature-256: set a secret for the webhook at GitHub")
    if not SIGNATURE.fullmatch(signature):
        raise Refused(HTTPStatus.FORBIDDEN, "X-Hub-Signature-256 is not sha256= and 64 hexadecimal digits")
    return signature


def _body(request: Request) -> bytes:
    """The raw bytes of a request, of which no more is read than a webhook may have."""
    length = request.content_length
    if length is None:
        # Of a body in chunks werkzeug reads what the limit allows, and does not say that there is more.
        request.max_content_length = LARGEST_BODY + 1
    try:
        body = request.get_data() if length is None or length <= LARGEST_BODY else None
    except ClientDisconnected:
        raise Refused(HTTPStatus.BAD_REQUEST, "the body ended too early") from None
    if body is None or len(body) > LARGEST_BODY:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {LARGEST_BODY} bytes")
    return body


def _take(request: Request, body: bytes, settings: Settings, publish: Publish) -> Response:
    delivery, event = request.headers.get("X-GitHub-Delivery", ""), request.headers.get("X-GitHub-Event", "")
    if not DELIVERY.fullmatch(delivery):
        raise Refused(HTTPStatus.BAD_REQUEST, "a webhook has an X-GitHub-Delivery")
    if event == "ping":
        return _told(delivery, "answered", Response("pong\n", HTTPStatus.OK, content_type="text/plain"))
    try:
        wanted = read_payload(event, body)
    except IgnoredMessage as malformed:
        raise Refused(HTTPStatus.BAD_REQUEST, str(malformed)) from None
    if wanted is None:
        return _told(delivery, "not wanted", Response(status=HTTPStatus.NO_CONTENT))
    if wanted.repository not in settings.repositories:
        outcome = "of a repository that is not in receive_github.repositories"
        return _told(delivery, outcome, Response(status=HTTPStatus.NO_CONTENT))
    try:
        publish(wanted, delivery)
    except cloud_errors() as error:
        write_log(Severity.ERROR, f"webhook {delivery} was not published: {in_words(error)}")
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "not published: redeliver it at GitHub") from error
    return _told(delivery, "published", Response(status=HTTPStatus.ACCEPTED))


def _told(delivery: str, outcome: str, response: Response) -> Response:
    """Log one line of what came of a webhook whose signature was good."""
    write_log(Severity.INFO, f"webhook {delivery}: {outcome}", webhook={"delivery": delivery, "outcome": outcome})
    return response


def _refusal(refused: Refused) -> Response:
    """The answer that says why. It is streamed: functions-framework reads a body to its end before any other answer."""
    text = f"{refused}\n".encode()
    headers = {"Content-Length": str(len(text))}
    if refused.status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = "POST"
    return Response(iter([text]), refused.status, headers, content_type="text/plain; charset=utf-8")

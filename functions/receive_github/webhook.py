"""One request from outside: checked, looked at, published, answered. Nothing is trusted before the signature is."""

import re
from collections.abc import Callable, Iterable
from http import HTTPStatus

from flask import Request, Response

from functions.receive_github.bodies import Bodies, Refused
from functions.receive_github.payload import read_payload
from functions.receive_github.settings import Settings
from functions.receive_github.webhook_secrets import WebhookSecrets
from shared.errors import IgnoredMessage, cloud_errors, in_words
from shared.github_events import GithubEvent
from shared.report import Severity, write_log

JSON = "application/json"
SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")
DELIVERY = re.compile(r"[0-9A-Za-z-]{1,64}")
REASON = "X-Caretaker-Refused"
"""The header of an answer that says why a request was refused. GitHub shows it at the delivery."""

Publish = Callable[[GithubEvent, str], None]
"""Publishes an event with the id of its delivery, and returns when that is confirmed. Raises what a call raises."""


class NoContentType(Response):
    """A response whose body is empty, so that it is of no type."""

    default_mimetype = None


NOT_POST = Refused(HTTPStatus.METHOD_NOT_ALLOWED, "webhooks are sent with POST")
NOT_JSON = Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "webhooks are application/json: set that at GitHub")
NOT_SIGNED = Refused(HTTPStatus.UNAUTHORIZED, "no X-Hub-Signature-256: set a secret for the webhook at GitHub")
NO_SIGNATURE = Refused(HTTPStatus.FORBIDDEN, "X-Hub-Signature-256 is not sha256= and 64 hexadecimal digits")
FORGED = Refused(HTTPStatus.FORBIDDEN, "the signature is of another secret, or of another body")
NO_DELIVERY = Refused(HTTPStatus.BAD_REQUEST, "a webhook has an X-GitHub-Delivery")
NOT_PUBLISHED = Refused(HTTPStatus.SERVICE_UNAVAILABLE, "not published: redeliver it at GitHub")


def answer(request: Request, secrets: WebhookSecrets, settings: Settings, publish: Publish, bodies: Bodies) -> Response:
    """The answer to a request: 202 when it was published, and that is confirmed; 204 if no automation wants it."""
    body = _signed_body(request, secrets, bodies)
    if isinstance(body, Refused):
        return _refusal(body)  # Cloud Run logs that already: strangers cause no lines of ours
    answered = _take(request, body, settings, publish)
    if isinstance(answered, Refused):
        write_log(Severity.INFO, f"webhook refused with {answered.status.value}: {answered.why}")
        return _refusal(answered)
    return answered


def _signed_body(request: Request, secrets: WebhookSecrets, bodies: Bodies) -> bytes | Refused:
    """The raw bytes of a webhook whose signature is good: nothing is read of the body of what may be no webhook."""
    # Headers are read off the environment: werkzeug's way to them costs as much as a third of the hashing.
    content_type: str = request.environ.get("CONTENT_TYPE", "")
    signature: str = request.environ.get("HTTP_X_HUB_SIGNATURE_256", "")
    if request.method != "POST":
        return NOT_POST
    if content_type.partition(";")[0].strip().lower() != JSON:
        return NOT_JSON
    if not signature:
        return NOT_SIGNED
    if not SIGNATURE.fullmatch(signature):
        return NO_SIGNATURE
    if not DELIVERY.fullmatch(request.environ.get("HTTP_X_GITHUB_DELIVERY", "")):
        return NO_DELIVERY
    body = bodies.read(request)
    return body if isinstance(body, Refused) or secrets.accept(body, signature) else FORGED


def _take(request: Request, body: bytes, settings: Settings, publish: Publish) -> Response | Refused:
    delivery, event = request.headers.get("X-GitHub-Delivery", ""), request.headers.get("X-GitHub-Event", "")
    if event == "ping":
        return _logged(delivery, "answered", HTTPStatus.OK)
    try:
        wanted = read_payload(event, body)
    except IgnoredMessage as malformed:
        return Refused(HTTPStatus.BAD_REQUEST, str(malformed))
    if wanted is None:
        return _logged(delivery, "not wanted", HTTPStatus.NO_CONTENT)
    if wanted.repository not in settings.repositories:
        outcome = "of a repository that is not in receive_github.repositories"
        return _logged(delivery, outcome, HTTPStatus.NO_CONTENT)
    return _publish(wanted, delivery, publish)


def _publish(wanted: GithubEvent, delivery: str, publish: Publish) -> Response | Refused:
    try:
        publish(wanted, delivery)
    except cloud_errors() as error:
        _log(delivery, "not published", Severity.ERROR, f": {in_words(error)}")
        return NOT_PUBLISHED
    return _logged(delivery, "published", HTTPStatus.ACCEPTED)


def _logged(delivery: str, outcome: str, status: HTTPStatus) -> Response:
    _log(delivery, outcome)
    return _empty(status)


def _log(delivery: str, outcome: str, severity: Severity = Severity.INFO, why: str = "") -> None:
    """Log one line of what came of a webhook whose signature was good.

    An alert policy reads its fields: of a message alone Cloud Logging makes text, which has none.
    """
    fields = {"delivery": delivery, "outcome": outcome}
    write_log(severity, f"webhook {delivery}: {outcome}{why}", webhook=fields)


def _refusal(refused: Refused) -> Response:
    """The answer, with a header that says why: a body would be sent apart, and cost as much as all the rest."""
    why = [(REASON, refused.why)]
    return _empty(refused.status, [*why, ("Allow", "POST")] if refused is NOT_POST else why)


def _empty(status: HTTPStatus, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """An answer without a body.

    It counts as streamed: functions-framework reads a request to its end, where there may be no end, before any other.
    """
    return NoContentType(iter(()), status, [("Content-Length", "0"), *headers], direct_passthrough=True)

"""Reports each request: a span, and one log line when it has been answered."""

import logging
import time
from collections.abc import Iterable

from opentelemetry.propagate import extract
from opentelemetry.trace import SpanKind, StatusCode, Tracer
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from product_api.logs import HttpRequest

LOG = logging.getLogger("product_api.requests")


class RequestsSeen:
    """Middleware: opens a span under the caller's, so that log lines below are linked to it."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and tell of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = _decoded(scope["headers"])
        status, has_begun = 500, False
        started = time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status, has_begun
            if message["type"] == "http.response.start":
                status, has_begun = message["status"], True
            await send(message)

        with self._tracer.start_as_current_span(
            scope["method"], context=extract(headers), kind=SpanKind.SERVER
        ) as span:
            try:
                await self._app(scope, receive, watch)
            except Exception:
                LOG.exception("%s %s failed", scope["method"], scope["path"])
                if has_begun:
                    raise  # the server ends the connection, so that half an answer is not taken for one
                await JSONResponse({"detail": "internal error"}, status_code=500)(scope, receive, watch)
            finally:
                route = getattr(scope.get("route"), "path", scope["path"])
                span.update_name(f"{scope['method']} {route}")
                span.set_attributes(
                    {"http.request.method": scope["method"], "http.route": route, "http.response.status_code": status}
                )
                if status >= 500:
                    span.set_status(StatusCode.ERROR)
                _log(scope, headers, status, time.perf_counter() - started)


def _log(scope: Scope, headers: dict[str, str], status: int, seconds: float) -> None:
    request = HttpRequest(
        requestMethod=scope["method"],
        requestUrl=scope["path"],
        status=status,
        latency=f"{seconds:.6f}s",
        userAgent=headers.get("user-agent", ""),
    )
    level = logging.ERROR if status >= 500 else logging.INFO
    LOG.log(level, "%s %s: %d", scope["method"], scope["path"], status, extra={"http_request": request})


def _decoded(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}

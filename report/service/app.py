"""The application: one page, read with the service's own account, for requests that Identity-Aware Proxy has signed.

There is no other route, and none that takes a form: commands on the page are there to be copied.
"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from infra.deploy.target import Target
from infra.suite.deployment import Suite
from report.live import current_page, security_headers
from report.service.assertions import HEADER, Assertions, NotSignedIn
from shared.errors import cloud_errors, in_words
from shared.report import Severity, write_log


def app(suite: Suite, target: Target, assertions: Assertions) -> Starlette:
    """The application of one suite."""

    def page(request: Request) -> Response:
        try:
            assertions.verify(request.headers.get(HEADER))
        except NotSignedIn as error:
            write_log(Severity.WARNING, f"report: request refused: {error}")
            return PlainTextResponse(str(error), error.status)
        try:
            month = request.query_params.get("month", "")
            return HTMLResponse(current_page(suite, target, month=month), headers=security_headers())
        except ValueError:
            return PlainTextResponse("this is no month; expected one such as ?month=2026-10", 400)
        except cloud_errors() as error:
            write_log(Severity.ERROR, f"report: the suite cannot be read: {in_words(error)}")
            return PlainTextResponse(f"the suite cannot be read: {in_words(error)}", 502)

    return Starlette(routes=[Route("/", page, methods=["GET"])])

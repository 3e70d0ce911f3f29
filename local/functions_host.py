"""Hosts every configured automation in one process, each at ``/<automation>/projects/P/topics/T``.

Each is functions-framework's own application around the automation's ``main.py``, as in production; only the process
and the port are shared. The first line on standard output says which port; the lines after it are the logs.
"""

import json
import os
import sys
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import functions_framework
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from infra.automations import ROOT, load_automations
from shared import settings


class QuietRequestHandler(WSGIRequestHandler):
    """Logs no requests: the automations report their runs themselves."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def configured() -> list[str]:
    """The automations that have a section in the settings of this process."""
    given = json.loads(os.environ[settings.VARIABLE])
    return [name for name in load_automations() if name in given]


def application(automations: list[str]) -> WSGIApplication:
    """One WSGI application with every automation mounted under its name."""
    mounted: dict[str, WSGIApplication] = {}
    for name in automations:
        source = ROOT / "functions" / name / "main.py"
        mounted[f"/{name}"] = functions_framework.create_app(name, str(source), "cloudevent")
    known = ", ".join(f"/{name}/projects/P/topics/T" for name in automations) or "none"

    def nothing_here(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return Response(f"no automation answers here; there are {known}\n", status=404)(environ, start_response)

    return DispatcherMiddleware(nothing_here, mounted)


def main() -> None:
    """Serve until the process is ended."""
    server = make_server("127.0.0.1", 0, application(configured()), threaded=True, request_handler=QuietRequestHandler)
    sys.stdout.write(json.dumps({"port": server.server_port}) + "\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()

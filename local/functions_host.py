"""Hosts every configured automation in one process, each at ``/<automation>/projects/P/topics/T``.

Each is functions-framework's own application around the automation's ``main.py``, as in production; only the process
and the port are shared. Environment variables come as one line of JSON on standard input. The first line on standard
output reports that it listens; the lines after it are the logs.
"""

import gc
import importlib
import json
import os
import sys
import threading
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import functions_framework
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Response

from infra.suite.automations import ROOT, Entry, Webhook, load_functions
from shared import settings

STOP_SECONDS = 0.1  # how long it takes at most to stop


class QuietRequestHandler(WSGIRequestHandler):
    """Logs no requests: the automations report their runs themselves."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def configured() -> list[str]:
    """The automations that have a section in the settings of this process."""
    given = json.loads(os.environ[settings.VARIABLE])
    return [name for name in load_functions() if name in given]


def _address(name: str, entry: Entry | Webhook) -> str:
    return f"/{name}/" if isinstance(entry, Webhook) else f"/{name}/projects/P/topics/T"


def application(automations: list[str]) -> WSGIApplication:
    """One WSGI application with every automation mounted under its name."""
    functions = load_functions()
    mounted: dict[str, WSGIApplication] = {}
    for name in automations:
        source = ROOT / "functions" / name / "main.py"
        signature = "http" if isinstance(functions[name], Webhook) else "cloudevent"
        mounted[f"/{name}"] = functions_framework.create_app(name, str(source), signature)
    known = ", ".join(_address(name, functions[name]) for name in automations) or "none"

    def nothing_here(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return Response(f"no automation answers here; there are {known}\n", status=404)(environ, start_response)

    return DispatcherMiddleware(nothing_here, mounted)


def leave_out_grpc() -> None:
    """Let there be no gRPC here if no function is deployed with it: Google's errors import it where it is installed."""
    locks = (ROOT / "functions" / name / "requirements.txt" for name in load_functions())
    if not any("\ngrpcio==" in lock.read_text(encoding="utf-8") for lock in locks):
        sys.modules["grpc"] = None  # type: ignore[assignment] # as https://docs.python.org/3/reference/import.html says


def main() -> None:
    """Serve until standard input ends, as it does with the process that started this one, however that ends.

    The first argument is the descriptor of the socket on which it is to listen; the others are automations, whose
    modules are imported, with the engine's, while the environment is not known yet.
    """
    leave_out_grpc()
    for module in ("shared.run", *(f"functions.{name}.automation" for name in sys.argv[2:])):
        importlib.import_module(module)
    environment = sys.stdin.buffer.readline()
    if not environment:
        return
    os.environ.update(json.loads(environment))
    app, listening = application(configured()), int(sys.argv[1])
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietRequestHandler, fd=listening)
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    threading.Thread(target=_shut_down_after_input, args=(server,), daemon=True).start()
    server.serve_forever(poll_interval=STOP_SECONDS)


def _shut_down_after_input(server: BaseWSGIServer) -> None:
    sys.stdin.buffer.read()
    server.shutdown()


if __name__ == "__main__":
    main()
    gc.freeze()  # or Python looks through all objects for cycles before it ends

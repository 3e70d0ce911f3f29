"""Hosts the bare function as `local/functions_host.py` hosts the suite's, so that only the function differs."""

import sys

import functions_framework
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from local.functions_host import QuietRequestHandler


def main() -> None:
    """Serve the function in the file that the first argument names; print the port as the first line."""
    app = functions_framework.create_app("bare", sys.argv[1], "cloudevent")
    mounted = DispatcherMiddleware(Response("not found", status=404), {"/bare": app})
    server = make_server("127.0.0.1", 0, mounted, threaded=True, request_handler=QuietRequestHandler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()

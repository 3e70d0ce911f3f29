"""`./deploy.sh console`: the page, live on this machine, with commands in two steps: the plan, then just that plan.

It listens on 127.0.0.1 alone, below a path that is made for each start; it answers only requests for that host, and
takes commands by POST from its own pages alone. What it shows runs nothing that came from elsewhere.
"""

import argparse
import contextlib
import io
import secrets
import shlex
import sys
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import parse_qs

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from infra.deploy.commands import commands_of, read_command
from infra.deploy.send import send
from infra.deploy.target import Target, suite_and_target
from infra.suite.automations import load_automations
from infra.suite.deployment import Suite
from report.answers import answer_lines
from report.live import current_page, security_headers
from report.options import deployed_options, explained
from report.reading import local_zone
from report.rendering import console_page
from shared.errors import CaretakerError, cloud_errors, in_words
from shared.events import ASKED, Command
from shared.report import Outcome, Report

LARGEST_FORM = 4096
WAIT_SECONDS = 60.0
FOLLOWS_SECONDS = 10
"""Seconds until a page of the local suite reloads, as its story goes on; not while a person types or waits."""


class Sent(msgspec.Struct, frozen=True):
    """The result of a command: planned, or carried out."""

    command: str
    title: str
    lines: tuple[str, ...]
    plan: str = ""
    """The checksum to carry it out by; "" if there is nothing to confirm."""


class Live(msgspec.Struct, frozen=True):
    """A page's means of sending commands."""

    path: str
    commands: tuple[str, ...]
    follows: int = 0
    """Every so many seconds the page is loaded again; 0 for never."""


class Console:
    """Pages of one suite, and its commands."""

    def __init__(self, suite: Suite, target: Target, port: int) -> None:
        self._suite = suite
        self._target = target
        self._host = f"127.0.0.1:{port}"
        names = [name for name in suite.automations if name in load_automations()]
        every = tuple(f"{name} {command}" for name in names for command in commands_of(name))
        self.live = Live(f"/{secrets.token_urlsafe(24)}", every, FOLLOWS_SECONDS if target.is_local else 0)

    @property
    def address(self) -> str:
        """The address that a person opens."""
        return f"http://{self._host}{self.live.path}/"

    def app(self) -> Starlette:
        """The application."""
        path = self.live.path
        routes = [
            Route(f"{path}/", self._guarded(self._page), methods=["GET"]),
            Route(f"{path}/plan", self._guarded(self._plan), methods=["POST"]),
            Route(f"{path}/send", self._guarded(self._send), methods=["POST"]),
        ]
        return Starlette(routes=routes)

    def _guarded(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            if request.headers.get("host") != self._host:
                return PlainTextResponse("this host is not served", 421)
            if request.method == "POST" and request.headers.get("origin") != f"http://{self._host}":
                return PlainTextResponse("commands come from the console's own pages", 403)
            response = await answer(request)
            response.headers.update(security_headers(is_console=True))
            return response

        return guarded

    async def _page(self, request: Request) -> Response:
        del request
        return HTMLResponse(await run_in_threadpool(self._rendered))

    def _rendered(self) -> str:
        try:
            return current_page(self._suite, self._target, console=self.live)
        except cloud_errors() as error:
            return console_page(self.live, Sent("", "The suite cannot be read", (in_words(error),)))

    async def _plan(self, request: Request) -> Response:
        return await self._carried_out(request, is_plan=True)

    async def _send(self, request: Request) -> Response:
        return await self._carried_out(request, is_plan=False)

    async def _carried_out(self, request: Request, *, is_plan: bool) -> Response:
        body = await request.body()
        if len(body) > LARGEST_FORM:
            return PlainTextResponse("too large", 413)
        form = {key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()}
        text, plan = form.get("command", ""), ASKED if is_plan else form.get("plan", "")
        if not plan:
            return PlainTextResponse("a command is planned first", 400)
        sent = await run_in_threadpool(self._answer, text, plan)
        return HTMLResponse(console_page(self.live, sent), 200 if sent.plan or not is_plan else 422)

    def _answer(self, text: str, plan: str) -> Sent:
        """The plan of a command, or what came of it."""
        try:
            automation, command = _read(text, self._target)
            report = send(
                self._target,
                automation,
                command,
                now=self._target.now(),
                wait_seconds=WAIT_SECONDS,
                say=lambda _: None,
                plan=plan,
            )
        except cloud_errors() as error:
            return Sent(text, "Not sent", (in_words(error),))
        if report is None:
            return Sent(text, "No answer yet", (f"There was no report within {WAIT_SECONDS:.0f} seconds.",))
        if plan == ASKED:
            title = "This would be done" if report.counts else "This would change nothing now"
            return Sent(text, title, answer_lines(report, local_zone()), report.plan)
        return Sent(text, _title_of(report), answer_lines(report, local_zone()))


def _title_of(report: Report) -> str:
    titles = {
        Outcome.IGNORED: "Not done: the plan has changed",
        Outcome.FAILED: "It has failed in part, and is tried again",
        Outcome.WAITING: "It goes on",
    }
    return titles.get(report.outcome, "Done")


def _read(text: str, target: Target) -> tuple[str, Command]:
    """The command that a person has written as for `./deploy.sh send`. Raises ``CaretakerError`` if it is none."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            words = shlex.split(text.removeprefix("./deploy.sh send "))
            return read_command(words, target.now())
    except (SystemExit, ValueError) as error:
        why = said.getvalue().strip().splitlines()[-1:] or [str(error)]
        raise CaretakerError(f"this is no command: {why[0]}") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C."""
    options = _parser().parse_args(arguments)
    return explained(lambda: _serve(options))


def _serve(options: argparse.Namespace) -> int:
    suite, target = suite_and_target(options)
    console = Console(suite, target, options.port)
    sys.stdout.write(f"{console.address}\nuntil Ctrl-C\n")
    sys.stdout.flush()
    uvicorn.run(console.app(), host="127.0.0.1", port=options.port, log_level="warning", server_header=False)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./deploy.sh console",
        description="Serves the report, live, on this machine alone; commands are planned first, then confirmed.",
        parents=[deployed_options()],
    )
    parser.add_argument("--port", type=int, default=8765, help="on 127.0.0.1 (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())

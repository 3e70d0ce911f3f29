"""The findings of `doctor`: one line for each thing that was checked, and the command that fixes it."""

import enum
from collections.abc import Callable, Iterable
from functools import partial

import msgspec

from infra.deploy.target import Target
from infra.suite.deployment import Suite
from shared.clients import Clients
from shared.errors import cloud_errors, in_words


class Status(enum.StrEnum):
    """The result of a check, as it is printed."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "PROBLEM"
    NOT_CHECKED = "not checked"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was checked."""

    what: str
    status: Status
    fix: str = ""
    """The command, or the step, that fixes a problem or answers a warning."""


class CheckContext(msgspec.Struct, frozen=True):
    """The suite to check, and its cloud."""

    suite: Suite
    target: Target

    def for_one_run(self) -> "CheckContext":
        """The same, for one examination: what several checks read is read once in it."""
        target = msgspec.structs.replace(self.target, clients=self.target.clients.for_one_run())
        return CheckContext(self.suite, target)

    def project_number(self, project: str) -> str:
        """Of a project; empty if it is missing, or not visible to the caller. Raises ``GoogleAPIError``."""
        clients = self.target.clients
        return clients.once(("number of project", project), partial(_project_number, project, clients))

    def is_missing(self, project: str) -> bool:
        """Whether a project is missing, so that nothing in it can be checked. Raises ``GoogleAPIError``."""
        return not self.project_number(project)


Check = Callable[[CheckContext], Iterable[Finding]]


def run_check(check: Check, context: CheckContext, *, project: str = "") -> list[Finding]:
    """The findings of one check; if a call fails, that is a problem too, after those already found.

    A check that reads nothing but one ``project`` is not made if that is missing.
    """
    found: list[Finding] = []
    try:
        if project and context.is_missing(project):
            return [not_checked(subject_of(check), project)]
        found.extend(check(context))
    except cloud_errors() as error:
        found.append(Finding(f"could not see {subject_of(check)} ({in_words(error)})", Status.PROBLEM))
    return found


def _project_number(project: str, clients: Clients) -> str:
    from google.api_core.exceptions import NotFound, PermissionDenied
    from google.cloud.resourcemanager_v3 import ProjectsClient

    request = {"name": f"projects/{project}"}
    try:
        there = clients.of(ProjectsClient).get_project(request=request, **clients.reading)
    except (NotFound, PermissionDenied):
        return ""
    return there.name.removeprefix("projects/")


def subject_of(check: Check) -> str:
    """The subject of a check, to be put into a sentence: the beginning of its docstring."""
    about = (check.__doc__ or check.__name__).partition(".")[0]
    return f"{about[0].lower()}{about[1:]}"


def ok(what: str) -> Finding:
    """Something that is as it should be."""
    return Finding(what, Status.OK)


def problem(what: str, fix: str) -> Finding:
    """Something that is missing or wrong, and what fixes it."""
    return Finding(what, Status.PROBLEM, fix)


def warning(what: str, fix: str) -> Finding:
    """Something that works, and what would be better."""
    return Finding(what, Status.WARNING, fix)


def not_checked(what: str, project: str) -> Finding:
    """Something in a project that is missing, which is a problem of its own."""
    return Finding(f"{what}: project {project} is missing", Status.NOT_CHECKED)

"""Whether this machine has what deploying needs: tools, a login, a bucket for Terraform's state."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from typing import TYPE_CHECKING

from infra.deploy import state_bucket
from infra.deploy.doctor.findings import CheckContext, Finding, ok, problem
from infra.deploy.target import NotLoggedIn

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

TERRAFORM_AT_LEAST = (1, 11)
"""The first with write-only arguments, which keep a secret out of the state."""


def tools(_: CheckContext) -> Iterable[Finding]:
    """The tools."""
    yield _terraform()
    if shutil.which("gcloud"):
        yield ok("gcloud is installed")
    else:
        yield problem("gcloud is not installed", "https://cloud.google.com/sdk/docs/install")


def _terraform() -> Finding:
    get = "https://developer.hashicorp.com/terraform/install"
    program = shutil.which("terraform")
    if program is None:
        return problem("terraform is not installed", get)
    run = subprocess.run([program, "version", "-json"], capture_output=True, text=True, check=False)
    found = re.search(r'"terraform_version": *"(\d+)\.(\d+)[^"]*"', run.stdout)
    if found is None:
        return problem(f"terraform does not print its version: {run.stderr.strip()[:200]}", get)
    version = (int(found[1]), int(found[2]))
    text = json.loads(run.stdout)["terraform_version"]
    if version < TERRAFORM_AT_LEAST:
        return problem(f"terraform {text} is too old: {'.'.join(map(str, TERRAFORM_AT_LEAST))} or newer is needed", get)
    return ok(f"terraform {text}")


def login(context: CheckContext) -> Iterable[Finding]:
    """The login of Terraform and of this command: application default credentials."""
    credentials = _credentials()
    if credentials is None:
        yield problem("not logged in", "gcloud auth application-default login")
        return
    yield ok("application default credentials are there")
    project = context.suite.deployment.project
    quota = getattr(credentials, "quota_project_id", None)
    if quota == project or not hasattr(credentials, "refresh_token"):
        yield ok(f"calls are counted as those of {quota or 'the account that is logged in'}")
    else:
        yield problem(
            f"the quota project of the login is {quota or 'not set'}",
            f"gcloud auth application-default set-quota-project {project}",
        )


def is_logged_in() -> bool:
    """Whether there are credentials to ask anything with."""
    return _credentials() is not None


def require_login() -> None:
    """Raise ``NotLoggedIn`` if there are no credentials: once, rather than an error for each call."""
    if not is_logged_in():
        raise NotLoggedIn


def _credentials() -> "Credentials | None":
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    try:
        credentials, _ = google.auth.default()
    except DefaultCredentialsError:
        return None
    return credentials


def bucket_of_the_state(context: CheckContext) -> Iterable[Finding]:
    """The bucket of Terraform's state."""
    deployment = context.suite.deployment
    if state_bucket.is_there(context.target.clients, deployment.bucket):
        yield ok(f"gs://{deployment.bucket} is there for Terraform's state")
    else:
        yield problem(
            f"there is no gs://{deployment.bucket}: plan asks to create it", state_bucket.create_command(deployment)
        )

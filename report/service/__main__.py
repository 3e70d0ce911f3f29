"""Serves the report on Cloud Run, as the module `report` of Terraform deploys it.

`CARETAKER_PROJECT`, `CARETAKER_SETTINGS` (the owner's settings, as JSON) and `CARETAKER_AUDIENCE` say what and for
whom; `TZ` in which time zone; Cloud Run sets `PORT`.
"""

import os
import sys
from collections.abc import Mapping

import msgspec
import uvicorn
from starlette.applications import Starlette

from infra.deploy.target import in_the_cloud
from infra.suite.automations import load_automations
from infra.suite.deployment import Deployment, Suite
from infra.suite.loading import load_automation
from report.service.app import app
from report.service.assertions import Assertions
from shared.clients import PROJECT_VARIABLE
from shared.decoding import decoded
from shared.errors import CaretakerError, SettingsError
from shared.settings import VARIABLE

AUDIENCE_VARIABLE = "CARETAKER_AUDIENCE"


def application(environment: Mapping[str, str]) -> Starlette:
    """The application that the environment describes. Raises ``CaretakerError`` if it describes none."""
    project = _required(environment, PROJECT_VARIABLE, "the project of the suite")
    audience = _required(environment, AUDIENCE_VARIABLE, "/projects/NUMBER/locations/REGION/services/NAME")
    expected = "JSON made from caretaker.yaml"
    try:
        owner = decoded(_required(environment, VARIABLE, expected), dict[str, object])
    except msgspec.DecodeError as error:
        raise SettingsError(VARIABLE, environment[VARIABLE], expected) from error
    suite = Suite(Deployment(project=project), owner)
    for name in suite.automations:
        if name in load_automations():
            load_automation(name)  # what is broken fails the start, not the first page
    return app(suite, in_the_cloud(project), Assertions(audience))


def _required(environment: Mapping[str, str], variable: str, expected: str) -> str:
    if not environment.get(variable):
        raise SettingsError(variable, None, expected)
    return environment[variable]


def main() -> int:
    """Serve until Cloud Run ends the instance; the exit code is 2 if the environment is wrong."""
    try:
        serving = application(os.environ)
    except CaretakerError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    # Cloud Run routes to the container's own address.
    uvicorn.run(serving, host="0.0.0.0", port=int(os.environ.get("PORT", "8080")), log_level="warning")  # noqa: S104
    return 0


if __name__ == "__main__":
    sys.exit(main())

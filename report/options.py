"""What `report` and `console` share: which suite, where, and errors in words."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from infra.deploy.target import LOCAL_DIRECTORY, Target, in_the_cloud, on_this_machine
from infra.suite.deployment import PATH, REGION, Suite, load_suite
from infra.suite.settings import PATH as SETTINGS_PATH
from infra.suite.settings import own_or_example, refuse_missing
from shared.errors import CaretakerError, cloud_errors, in_words


def deployed_options() -> argparse.ArgumentParser:
    """Options that name a suite."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--local", action="store_true", help="of the suite started with ./deploy.sh local")
    parser.add_argument("--directory", type=Path, default=LOCAL_DIRECTORY, help=argparse.SUPPRESS)
    parser.add_argument(
        "--deployment", type=Path, default=PATH, metavar="FILE", help="instead of settings/deployment.yaml"
    )
    parser.add_argument("--settings", type=Path, metavar="FILE", help="instead of settings/caretaker.yaml")
    return parser


def suite_and_target(options: argparse.Namespace) -> tuple[Suite, Target]:
    """What is deployed, and where. Raises ``CaretakerError``."""
    deployment, settings = options.deployment, options.settings or SETTINGS_PATH
    if options.local:
        started_with = None if options.settings else on_this_machine(options.directory).settings
        deployment, settings = own_or_example(deployment), started_with or own_or_example(settings)
    refuse_missing(settings, deployment)
    suite = load_suite(deployment, settings)
    if not options.local:
        return suite, in_the_cloud(suite.deployment.project)
    target = on_this_machine(options.directory)
    here = msgspec.structs.replace(suite.deployment, project=target.project, region=REGION)
    return Suite(here, suite.owner), target


def explained(work: Callable[[], int]) -> int:
    """The exit code of some work; an error is one line on standard error, and 1 or 2."""
    from google.auth.exceptions import DefaultCredentialsError

    try:
        return work()
    except CaretakerError as error:
        return _failed(str(error), 2)
    except DefaultCredentialsError:
        return _failed("not logged in; run: gcloud auth application-default login", 2)
    except cloud_errors() as error:
        return _failed(in_words(error), 1)
    except OSError as error:
        return _failed(f"cannot use {error.filename or 'it'}: {error.strerror}", 2)


def _failed(why: str, code: int) -> int:
    sys.stderr.write(f"{why}\n")
    return code

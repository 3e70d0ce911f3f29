"""Options of `report` and `console`, which suite they name, and errors in words."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from infra.deploy.target import LOCAL_DIRECTORY, NotLoggedIn
from infra.suite.deployment import PATH
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


def explained(work: Callable[[], int]) -> int:
    """The exit code of some work; an error is one line on standard error, and 1 or 2."""
    from google.auth.exceptions import DefaultCredentialsError

    try:
        return work()
    except CaretakerError as error:
        return _failed(str(error), 2)
    except DefaultCredentialsError:
        return _failed(str(NotLoggedIn()), 2)
    except cloud_errors() as error:
        return _failed(in_words(error), 1)
    except OSError as error:
        return _failed(f"cannot use {error.filename or 'it'}: {error.strerror}", 2)


def _failed(why: str, code: int) -> int:
    sys.stderr.write(f"{why}\n")
    return code

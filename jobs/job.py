"""The frame of both jobs: settings in, work, one structured line, and an exit code that says what to do next."""

import gc
import signal
import sys
from collections.abc import Callable
from enum import IntEnum
from types import FrameType
from typing import Any, NoReturn

import msgspec

from shared.clients import RetryPolicy
from shared.errors import CaretakerError, SettingsError, cloud_errors, in_words
from shared.report import Outcome, Severity, write_log

PATIENT = RetryPolicy(give_up=300.0, timeout=60.0)
"""A job that has worked for hours does not give up for a minute's outage."""


class ExitCode(IntEnum):
    """The outcome of a job. Cloud Run tries a task again that ends with anything but 0, as often as its job says."""

    DONE = 0
    FAILED = 1
    """Something on the way failed, which may pass: another attempt can help."""
    WRONG_SETTINGS = 2
    """No attempt helps until they are fixed."""
    NO_BACKUP = 3
    """There is nothing to prove."""
    NOT_PROVED = 4
    """The backup is not what it says, or cannot be restored: a person must look."""
    STOPPED = 128 + signal.SIGTERM
    """Cloud Run stopped it, as at its time limit."""


class JobFailed(CaretakerError):
    """A job cannot do what it is for; the text says why."""

    exit_code = ExitCode.FAILED


class Stopped(BaseException):
    """The job has to stop: what it was doing is undone on the way out."""


class Result(msgspec.Struct, frozen=True):
    """The result of a job: a sentence, and the same as fields for queries and metrics."""

    sentence: str
    details: msgspec.Struct


def main(name: str, work: Callable[[], Result]) -> NoReturn:
    """Run a job as the whole of this process."""
    code = run_job(name, work)
    # Ending, the interpreter would look through all that was imported for cycles, which takes 60 ms.
    gc.freeze()
    sys.exit(code)


def run_job(name: str, work: Callable[[], Result]) -> int:
    """Do a job's work and report it; returns its exit code. Anything unexpected is raised, with its traceback."""
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        result = work()
    except SettingsError as error:
        return _failed(name, ExitCode.WRONG_SETTINGS, str(error))
    except JobFailed as error:
        return _failed(name, error.exit_code, str(error))
    except cloud_errors() as error:
        return _failed(name, ExitCode.FAILED, in_words(error))
    except Stopped:
        return _failed(name, ExitCode.STOPPED, "stopped from outside; nothing it left counts as a backup")
    finally:
        signal.signal(signal.SIGTERM, before)
    write_log(Severity.NOTICE, f"{name}: {result.sentence}", job=_Ended(name, Outcome.APPLIED, details=result.details))
    return ExitCode.DONE


class _Ended(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str
    outcome: Outcome
    exit_code: int = 0
    why: str = ""
    details: Any = None


def _failed(name: str, code: ExitCode, why: str) -> int:
    write_log(Severity.ERROR, f"{name}: {why}", job=_Ended(name, Outcome.FAILED, code, why))
    return code


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped

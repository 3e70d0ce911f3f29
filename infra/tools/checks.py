"""Every check of the project, one line each: what `./deploy.sh test` runs.

Takes each supported Python as ``3.13=/path/to/python``, with nothing after the sign if it is not installed.
The last line adds up the tests on every Python and the other checks, which count as one each.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from infra.tools import rules
from infra.tools.files_in_memory import files_in_memory

ROOT = Path(__file__).resolve().parents[2]
SECONDS_ALLOWED = 300
PYTEST = ("pytest", "-q", "-rs", "--durations=15", "--durations-min=1")
SUMMARY = re.compile(r"^=*\s*((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s\b.*$", re.MULTILINE)
DURATION = re.compile(r"^[\d.]+s +(?:call|setup|teardown) +.*$", re.MULTILINE)
# A test must not depend on where it runs: on the other Pythons it is already tomorrow.
ELSEWHERE = {"TZ": "Pacific/Kiritimati"}


@dataclass(frozen=True)
class Outcome:
    """The result of a check: its part of the totals, a note beside its line, and the lines below it."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    note: str = ""
    details: str = ""
    slowest: str = ""
    """The slowest tests, a line each, for a run that takes longer than it may."""
    seconds: float = 0.0


@dataclass(frozen=True)
class Check:
    """One line of the report."""

    name: str
    run: Callable[[], Outcome]


def command(*arguments: str | Path) -> Callable[[], Outcome]:
    """A check that is a program of its own: it passes when that exits with 0, and is silent then."""

    def run() -> Outcome:
        code, output = execute(arguments)
        return Outcome(failed=1, details=output) if code else Outcome(passed=1)

    return run


def rule(find: Callable[[Path], list[str]]) -> Callable[[], Outcome]:
    """A check that is one of our own rules: it passes when nothing breaks it."""

    def run() -> Outcome:
        found = find(ROOT)
        return Outcome(failed=1, details="\n".join(found)) if found else Outcome(passed=1)

    return run


def shell_scripts() -> Outcome:
    """Run shellcheck on every shell script. Not every platform has a package of it."""
    program = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        return Outcome(skipped=1, note="shellcheck is not installed, 1 skipped")
    scripts = [path for path in rules.project_files(ROOT) if rules.is_shell_script(path)]
    return command(program, *scripts)()


def coverage() -> Outcome:
    """The coverage of the tests, against the bound in pyproject.toml."""
    code, report = execute((sys.executable, "-m", "coverage", "combine", "--quiet"))
    if not code:
        code, report = execute((sys.executable, "-m", "coverage", "report"))
    percent = re.search(r"^TOTAL.*?(\d+%)", report, re.MULTILINE)
    note = percent[1] if percent else ""
    return Outcome(failed=1, note=note, details=report) if code else Outcome(passed=1, note=note)


def run_tests(
    interpreter: Sequence[str | Path], *options: str, workers: int, environment: Mapping[str, str] | None = None
) -> Outcome:
    """The test suite as ``interpreter`` runs a module, counted as pytest counts it."""
    # A single worker would only be a second process beside the one that waits for it.
    parallel = [f"--numprocesses={workers}", "--dist=worksteal"] if workers > 1 else []
    with files_in_memory() as variables:
        code, output = execute((*interpreter, "-m", *PYTEST, *parallel, *options), {**(environment or {}), **variables})
    return read_pytest(code, output)


def read_pytest(code: int, output: str) -> Outcome:
    """The result of a run of pytest; one that ended without its summary is a failure."""
    summaries = list(SUMMARY.finditer(output))
    if not summaries:
        return Outcome(failed=1, note="pytest did not get to its summary", details=output)
    counts: dict[str, int] = {}
    for number, word in re.findall(r"(\d+) ([a-z]+)", summaries[-1][1]):
        counts[word.removesuffix("s")] = int(number)
    failed = counts.get("failed", 0) + counts.get("error", 0)
    reasons = "\n".join(line for line in output.splitlines() if line.startswith("SKIPPED"))
    return Outcome(
        passed=counts.get("passed", 0),
        failed=max(failed, 1) if code else failed,
        skipped=counts.get("skipped", 0) + counts.get("xfailed", 0),
        note=summaries[-1][0].strip("= "),
        details=output if code else reasons,
        slowest="\n".join(DURATION.findall(output)),
    )


def execute(arguments: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run a program in the checkout's folder: its exit code, and all that it printed."""
    run = subprocess.run(
        arguments,
        cwd=ROOT,
        env={**compiling_once(os.environ), **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout


def compiling_once(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would have each of many processes compile Google's libraries anew."""
    return {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}


def static_checks() -> list[Check]:
    """The checks that read the code and do not run it. They need one core."""
    scripts = Path(sys.executable).parent
    return [
        Check(
            "formatting",
            command(scripts / "ruff", "format", "--check", "--quiet", "--output-format=concise", "."),
        ),
        Check("lint", command(scripts / "ruff", "check", "--quiet", "--output-format=concise", ".")),
        Check("types", command(sys.executable, "-m", "mypy", "--no-error-summary")),
        Check("floors", command(scripts / "lint-imports")),
        Check("shell scripts", shell_scripts),
        Check("generated files", command(sys.executable, "-m", "infra.tools.generate", "--check")),
        Check("locks carry no addresses", rule(rules.locks_carry_no_addresses)),
        Check("locks are current", rule(rules.locks_are_current)),
        Check("speaks only of itself", rule(rules.speaks_of_itself)),
    ]


def tests_here(workers: int) -> Check:
    """All tests on the main Python."""
    return Check(f"tests on Python {main_version()}", partial(run_tests_with_coverage, workers))


def run_tests_with_coverage(workers: int) -> Outcome:
    """The test suite on this Python, while notes are taken of what it runs: by each process, in a file of its own."""
    measure = (sys.executable, "-m", "coverage")
    code, output = execute((*measure, "erase"))
    if code:
        return Outcome(failed=1, note="an earlier run's notes cannot be removed", details=output)
    return run_tests((*measure, "run"), workers=workers)


def main_version() -> str:
    """The version of the Python that runs this, e.g. ``3.13``."""
    return "{}.{}".format(*sys.version_info)


def tests_elsewhere(version: str, python: str, workers: int) -> Check:
    """The tests on another Python, of which ``python`` is the path."""
    return Check(f"tests on Python {version}", partial(run_tests_elsewhere, version, python, workers))


def run_tests_elsewhere(version: str, python: str, workers: int) -> Outcome:
    """The test suite on another Python, in an environment that is made for it if it is not there yet."""
    environment = ROOT / f".venv-{version}"
    code, output = execute(
        (python, "-I", "infra/tools/environment.py", environment, "requirements.txt", sys.executable)
    )
    if code:
        return Outcome(failed=1, note="could not be installed", details=output)
    return run_tests((environment / "bin/python",), "-m", "not one_python", workers=workers, environment=ELSEWHERE)


def timed(check: Check) -> Outcome:
    """Run a check, and take its time."""
    started = time.monotonic()
    outcome = check.run()
    return replace(outcome, seconds=time.monotonic() - started)


def show(name: str, run: "Future[Outcome]") -> Outcome:
    """Wait for a check and print its line, and its details below."""
    print(f"{name + ' ':.<30} ", end="", flush=True)
    outcome = run.result()
    word = "FAILED" if outcome.failed else "ok"
    print(f"{word:<6} {outcome.seconds:6.1f} s  {outcome.note}".rstrip(), flush=True)
    if outcome.details:
        print("    " + outcome.details.strip().replace("\n", "\n    "), flush=True)
    return outcome


def begin(pool: ThreadPoolExecutor, checks: Sequence[Check]) -> "dict[str, Future[Outcome]]":
    """Have checks run in order, as many at once as the pool has threads."""
    return {check.name: pool.submit(timed, check) for check in checks}


def show_all(runs: "Mapping[str, Future[Outcome]]") -> dict[str, Outcome]:
    """The line of each check, in order, as soon as it has ended."""
    return {name: show(name, run) for name, run in runs.items()}


def main(arguments: Sequence[str]) -> int:
    """Run every check on every Python there is: 0 when nothing failed."""
    started = time.monotonic()
    pythons = dict(argument.split("=", 1) for argument in arguments)
    others = {version: path for version, path in pythons.items() if path and version != main_version()}
    cores = getattr(os, "process_cpu_count", os.cpu_count)() or 1
    half = max(cores // 2, 1)
    # Most of what the machine does is to run the tests on the main Python, on all its cores; a worker more goes on
    # while others wait for programs that their tests start. The rest goes on beside that one after another, so that no
    # core is left idle while something waits; two at once when the tests are done.
    with ThreadPoolExecutor(2) as pool, ThreadPoolExecutor(1) as reading:
        try:
            here = begin(pool, [tests_here(cores + 1)])
            beside = begin(pool, static_checks())
            elsewhere = begin(pool, [tests_elsewhere(version, path, half) for version, path in others.items()])
            outcomes = show_all(beside | here)
            outcomes |= show_all(begin(reading, [Check("coverage", coverage)]) | elsewhere)
        finally:
            # A check that has not started, as when Ctrl-C is pressed, never does.
            pool.shutdown(cancel_futures=True)
    missing = [version for version, path in pythons.items() if not path]
    for version in missing:
        print(f"tests on Python {version}: not installed, 1 skipped")
    return close(outcomes, len(missing), time.monotonic() - started)


def close(outcomes: Mapping[str, Outcome], missing: int, seconds: float) -> int:
    """Print what failed, and the totals; returns the exit code."""
    broken = [name for name, outcome in outcomes.items() if outcome.failed]
    if broken:
        print(f"\nfailed: {', '.join(broken)}")
    print(f"\n{len(outcomes)} checks in {seconds:.0f} s")
    if seconds > SECONDS_ALLOWED:
        print(f"They may take {SECONDS_ALLOWED} s: see which line above has grown. The slowest tests:")
        for name, outcome in outcomes.items():
            if outcome.slowest:
                print(f"{name}\n    " + outcome.slowest.replace("\n", "\n    "))
    passed = sum(outcome.passed for outcome in outcomes.values())
    failed = sum(outcome.failed for outcome in outcomes.values())
    skipped = sum(outcome.skipped for outcome in outcomes.values()) + missing
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if broken else 0


if __name__ == "__main__":
    try:
        raise SystemExit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        raise SystemExit(130) from None

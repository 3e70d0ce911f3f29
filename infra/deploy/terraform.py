"""Runs Terraform on the suite: bundles and checked settings first, a plan to be read, then what was agreed to."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec

from infra.deploy import state_bucket
from infra.deploy.bundle import write_bundles
from infra.suite.deployment import TERRAFORM, Suite, write_variables
from shared.clients import Clients
from shared.decoding import decoded
from shared.errors import CaretakerError

PLAN = "caretaker.tfplan"
STANDARD_ERROR = 2


class NotDeployed(CaretakerError):
    """A step towards the cloud did not succeed, or a person said no; what was done remains, and it can be run again."""


class Terraform(msgspec.Struct, frozen=True):
    """Terraform in the folder of the suite's root."""

    suite: Suite
    clients: Clients
    ask: Callable[[str], bool]
    say: Callable[[str], None]
    folder: Path = TERRAFORM
    is_quiet: bool = False
    """Whether Terraform's own output is sent to standard error, to keep standard output for a JSON document."""

    def plan(self, *, destroy: bool = False) -> bool:
        """Show what would change, and keep it to be applied. Returns whether anything would."""
        self._prepare()
        options = ["-destroy"] if destroy else []
        code = self._run("plan", "-input=false", "-detailed-exitcode", f"-out={PLAN}", *options, good=(0, 2))
        return code == 2

    def planned(self) -> msgspec.Raw:
        """The plan that was shown, as Terraform words it for a program. Raises ``NotDeployed``."""
        return msgspec.Raw(self._read("show", "-json", PLAN).encode())

    def apply(self) -> None:
        """Apply the plan that was shown. What was applied before something failed remains: run it again."""
        try:
            self._run("apply", "-input=false", PLAN)
        finally:
            (self.folder / PLAN).unlink(missing_ok=True)

    def outputs(self) -> dict[str, object]:
        """The root's outputs."""
        answer = decoded(self._read("output", "-json"), dict[str, _Output])
        return {name: output.value for name, output in answer.items()}

    def _prepare(self) -> None:
        write_variables(self.suite, write_bundles(self.suite.automations, self.folder / "dist"), self.folder)
        deployment = self.suite.deployment
        if not state_bucket.is_there(self.clients, deployment.bucket):
            if not self.ask(f"Terraform's state needs a bucket. Create gs://{deployment.bucket}?"):
                raise NotDeployed(
                    f"without a bucket for its state Terraform does nothing: {state_bucket.create_command(deployment)}"
                )
            state_bucket.create(self.clients, deployment)
        self._run("init", "-input=false", "-reconfigure", f"-backend-config=bucket={deployment.bucket}")

    def _read(self, command: str, *options: str) -> str:
        run = subprocess.run(
            [_program(), command, *options], cwd=self.folder, capture_output=True, text=True, check=False
        )
        if run.returncode:
            raise NotDeployed(f"terraform {command}: {run.stderr.strip()}")
        return run.stdout

    def _run(self, command: str, *options: str, good: tuple[int, ...] = (0,)) -> int:
        self.say(f"terraform {command}")
        code = _until_it_ends(
            subprocess.Popen(
                [_program(), command, *options], cwd=self.folder, stdout=STANDARD_ERROR if self.is_quiet else None
            )
        )
        if code not in good:
            raise NotDeployed(f"terraform {command} failed: fix what it reports above, and run this again")
        return code


class _Output(msgspec.Struct):
    value: object


def _until_it_ends(process: "subprocess.Popen[bytes]") -> int:
    """Wait for a program, and return its code. Ctrl-C reaches it as well, and it ends by itself.

    Terraform then finishes what it is at, writes its state and gives back the lock; killed, it would do neither.
    """
    interrupted: KeyboardInterrupt | None = None
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt as interrupt:
            interrupted = interrupt
            continue
        if interrupted:
            raise interrupted
        return code


def _program() -> str:
    found = shutil.which("terraform")
    if found is None:
        raise NotDeployed("terraform is not on the PATH: https://developer.hashicorp.com/terraform/install")
    return found

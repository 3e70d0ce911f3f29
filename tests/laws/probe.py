"""Watches the API calls of one run: counts them, stops the run at one of them for good, or holds it there a while."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

PATIENCE_SECONDS = 30.0


class Crash(BaseException):
    """The process died. Nothing in the code may catch it, as nothing could catch the real thing."""


class Probe:
    """Records the calls of one run."""

    def __init__(self) -> None:
        self.methods: list[str] = []
        """The methods called so far, each as Google spells it: ``google.cloud.run.v2.Services/ListServices``."""

    def before(self, method: str) -> None:
        """The call is about to be sent."""
        self.methods.append(method)

    def after(self, method: str) -> None:
        """The call has been answered, but the run has not seen the answer."""


class CrashingProbe(Probe):
    """Ends the process at one call: before it is sent, or when it has taken effect and the answer is lost."""

    def __init__(self, at: int, *, answer_lost: bool) -> None:
        super().__init__()
        self._at = at
        self._answer_lost = answer_lost
        self._is_dead = False

    def before(self, method: str) -> None:
        """Die here if this is the call, or if that has happened: the dead send nothing."""
        if self._is_dead or (len(self.methods) == self._at and not self._answer_lost):
            self._is_dead = True
            raise Crash
        super().before(method)

    def after(self, method: str) -> None:
        """Die here if this is the call."""
        del method
        if self._answer_lost and len(self.methods) == self._at + 1:
            self._is_dead = True
            raise Crash


class PausingProbe(Probe):
    """Holds the run before one call until it is released."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._at = at
        self.paused = threading.Event()
        self.resumed = threading.Event()

    def before(self, method: str) -> None:
        """Wait here if this is the call."""
        if len(self.methods) == self._at:
            self.paused.set()
            if not self.resumed.wait(PATIENCE_SECONDS):
                raise TimeoutError(f"the run was not released within {PATIENCE_SECONDS} s")
        super().before(method)


@dataclass
class Switchboard:
    """The clients' watcher: hands each call to the probe of the run that makes it, which is that of its thread."""

    _probes: dict[int, Probe] = field(default_factory=dict)

    def connect(self, probe: Probe) -> None:
        """From now on the calls of this thread are the probe's."""
        self._probes[threading.get_ident()] = probe

    def disconnect(self) -> None:
        """Stop watching the calls of this thread."""
        del self._probes[threading.get_ident()]

    @contextlib.contextmanager
    def watched_by(self, probe: Probe | None) -> Iterator[None]:
        """Connect a probe for this while; None leaves things as they are."""
        if probe:
            self.connect(probe)
        try:
            yield
        finally:
            if probe:
                self.disconnect()

    def before(self, method: str) -> None:
        """See `Probe`."""
        if probe := self._probes.get(threading.get_ident()):
            probe.before(method)

    def after(self, method: str) -> None:
        """See `Probe`."""
        if probe := self._probes.get(threading.get_ident()):
            probe.after(method)

"""Where things stand with each pull request: the answer to the command ``status``."""

from functions.manage_previews.events import Status
from functions.manage_previews.verdicts import Occasion, Verdict, verdicts
from functions.manage_previews.world import World
from shared.moments import told


def status(occasion: Occasion, world: World) -> tuple[str, ...]:
    """A line for each pull request; nothing if the event does not ask."""
    if not isinstance(occasion.event.event, Status):
        return ()
    return (
        f"{len(world.previews)} previews of {occasion.settings.maximum} at most",
        *(_line(verdict) for verdict in verdicts(occasion, world)),
        *(f"{key}: {why}" for key, why in sorted(world.lost.items())),
    )


def _line(verdict: Verdict) -> str:
    preview = verdict.subject.preview
    parts = [f"{verdict.state}: {verdict.why}"]
    if preview:
        expires = told(verdict.subject.expires_at)
        parts += [preview.uri, f"commit {preview.sha[:7]}", f"since {told(preview.since)}, expires {expires}"]
    return f"{verdict.key}: {'; '.join(part for part in parts if part)}"

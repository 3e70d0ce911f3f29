"""The answer to a command: where things stand with each pull request, or what becomes of it."""

from functions.manage_previews.events import Pause, Resume, Status
from functions.manage_previews.verdicts import Occasion, Verdict, verdicts
from functions.manage_previews.world import World
from shared.clock import format_time


def status(occasion: Occasion, world: World) -> tuple[str, ...]:
    """For `status` a line for each pull request; nothing for an event that is no command."""
    match occasion.event.event:
        case Status():
            return _where_things_stand(occasion, world)
        case Pause() | Resume():
            is_paused = occasion.records.is_paused
            return (
                "previews are paused: all go, and none is made until `resume`"
                if is_paused
                else "previews are not paused",
            )
    return ()


def _where_things_stand(occasion: Occasion, world: World) -> tuple[str, ...]:
    return (
        f"{len(world.previews)} previews of {occasion.settings.maximum} at most",
        *(_line(verdict) for verdict in verdicts(occasion, world)),
        *(f"{key}: {why}" for key, why in sorted(world.lost.items())),
    )


def _line(verdict: Verdict) -> str:
    preview = verdict.subject.preview
    parts = [f"{verdict.state}: {verdict.why}"]
    if preview:
        expires = format_time(verdict.subject.expires_at)
        parts += [preview.uri, f"commit {preview.sha[:7]}", f"since {format_time(preview.since)}, expires {expires}"]
    return f"{verdict.key}: {'; '.join(part for part in parts if part)}"

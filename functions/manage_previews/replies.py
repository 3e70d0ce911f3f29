"""The reply to a command: what becomes of it, or with `status` a line for each pull request."""

import msgspec

from functions.manage_previews.events import Pause, Resume, Status
from functions.manage_previews.hearing import heard
from functions.manage_previews.messages import NotReadHere
from functions.manage_previews.needs import see
from functions.manage_previews.observing import observe
from functions.manage_previews.preview_decision import Context, PreviewDecision, decisions_on
from functions.manage_previews.world import Seen
from shared.clock import format_time
from shared.world import World


def reply(context: Context, world: World, decision: object) -> tuple[str, ...]:
    """For `status` a line for each pull request; nothing for an event that is no command."""
    del decision
    match context.event.event:
        case Status():
            context = heard(context, world)
            seen = see(context, world)
            observed = msgspec.structs.replace(context, records=observe(context, seen).records)
            return _current_state(observed, seen)
        case Pause() | Resume():
            is_paused = context.records.is_paused
            return (
                "previews are paused: all are deleted, and none is created until `resume`"
                if is_paused
                else "previews are not paused",
            )
    return ()


def _current_state(context: Context, seen: Seen) -> tuple[str, ...]:
    return (
        f"{len(seen.previews)} previews of {context.settings.maximum} at most",
        *(_line(decision) for decision in decisions_on(context, seen)),
        *(f"{key}: {why}" for key, why in sorted(seen.lost.items())),
        *(
            f"{key}: {NotReadHere(preview.uri, preview.sha)}"
            for key, preview in sorted(seen.previews.items())
            if key not in seen.pull_requests and key not in seen.lost
        ),
    )


def _line(decision: PreviewDecision) -> str:
    preview = decision.view.preview
    parts = [f"{decision.state}: {decision.why}"]
    if preview:
        expires = format_time(decision.view.expires_at)
        parts += [preview.uri, f"commit {preview.sha[:7]}", f"since {format_time(preview.since)}, expires {expires}"]
    return f"{decision.key}: {'; '.join(part for part in parts if part)}"

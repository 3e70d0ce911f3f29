"""The commands that each automation takes, as options of `./deploy.sh send`."""

import argparse
import types
import typing
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta

import msgspec

from infra.suite.automations import load_automations
from infra.suite.loading import BrokenAutomation, load_automation
from shared.decoding import converted
from shared.events import Command
from shared.settings_words import did_you_mean, nearest

CommandType = type[Command]


def commands_of(automation: str) -> dict[str, CommandType]:
    """The commands of an automation, by what their messages call them. Raises ``BrokenAutomation``."""
    return {str(kind.__struct_config__.tag): kind for kind in load_automation(automation).commands}


def read_command(arguments: Sequence[str], now: datetime, *, automations: Sequence[str] = ()) -> tuple[str, Command]:
    """The automation and the command that a person has typed. Explains what is possible, and exits, if it is none.

    Raises ``BrokenAutomation`` for a command to an automation whose code cannot be used; the others can be asked.
    """
    parser = argparse.ArgumentParser(
        prog="./deploy.sh send",
        description="Sends a command to an automation, and waits for its report.",
        epilog="Also: --local (a suite started with ./deploy.sh local), --wait SECONDS (for the report),"
        " --plan (only ask what it would change), --as-planned PLAN (only if it does just that),"
        " --deployment FILE (instead of settings/deployment.yaml). Each automation's README describes its commands.",
    )
    to = parser.add_subparsers(dest="automation", required=True, metavar="AUTOMATION")
    known: dict[str, dict[str, CommandType]] = {}
    for automation in automations or load_automations():
        try:
            known[automation] = commands_of(automation)
            _add_commands(to, automation, known[automation])
        except BrokenAutomation as error:
            if automation in arguments:
                raise
            to.add_parser(automation, help=str(error).replace("%", "%%"))
    if problem := _problem(list(arguments), known):
        parser.error(problem)
    options = parser.parse_args(list(arguments))
    kind = commands_of(options.automation)[options.command]
    try:
        return options.automation, _made(kind, vars(options), now)
    except (ValueError, msgspec.ValidationError) as error:
        parser.error(f"{options.automation} {options.command}: {error}")


def _problem(arguments: list[str], known: Mapping[str, Mapping[str, CommandType]]) -> str:
    """The fault in the names of the automation and the command, and the remedy; "" if there is none."""
    if not arguments or {"-h", "--help"} & set(arguments):
        return ""
    automation, *rest = arguments
    if automation not in known:
        return _misplaced("automation", [], arguments, known) or _unknown_automation(automation, known)
    commands = known[automation]
    if not rest or rest[0] in commands:
        return ""
    return _misplaced("command", [automation], rest, commands) or _unknown("command", rest[0], commands)


def _misplaced(what: str, before: list[str], arguments: list[str], known: Collection[str]) -> str:
    """That a name is there, and should come first; "" if it is not there."""
    name = next((one for one in arguments if one in known), None)
    if name is None:
        return ""
    others = [one for one in arguments if one != name]
    return f"the {what} comes first: ./deploy.sh send {' '.join((*before, name, *others))}"


def _unknown_automation(name: str, known: Mapping[str, Mapping[str, CommandType]]) -> str:
    owners = [automation for automation, commands in known.items() if name in commands]
    if owners:
        return f"{name} is a command of {', '.join(owners)}: ./deploy.sh send {owners[0]} {name}"
    return _unknown("automation", name, known)


def _unknown(what: str, name: str, known: Collection[str]) -> str:
    return f"unknown {what} {name!r}; expected {', '.join(known)}{did_you_mean(nearest(name, known))}"


def _add_commands(
    to: "argparse._SubParsersAction[argparse.ArgumentParser]", automation: str, commands: Mapping[str, CommandType]
) -> None:
    what = to.add_parser(automation, help=", ".join(commands)).add_subparsers(
        dest="command", required=True, metavar="COMMAND"
    )
    for name, kind in commands.items():
        one = what.add_parser(name, help=_summary(kind), description=kind.__doc__)
        for field in msgspec.structs.fields(kind):
            is_time = _holds(field.type, datetime)
            one.add_argument(
                f"--{field.name.replace('_', '-')}",
                dest=f"field_{field.name}",
                required=field.required,
                metavar="TIME" if is_time else field.name.upper(),
                help="18:00, or 2026-11-30T18:00Z" if is_time else None,
            )


def _made(kind: CommandType, options: Mapping[str, object], now: datetime) -> Command:
    given: dict[str, object] = {"type": kind.__struct_config__.tag}
    for field in msgspec.structs.fields(kind):
        text = options[f"field_{field.name}"]
        if text is not None:
            given[field.encode_name] = a_time(str(text), now) if _holds(field.type, datetime) else text
    return converted(given, kind, strict=False)


def a_time(text: str, now: datetime) -> datetime:
    """A moment as a person writes it: a clock time is the next one here; without a zone, it is this machine's.

    Raises ``ValueError`` with what would do.
    """
    local = now.astimezone()
    try:
        clock = time.fromisoformat(text)
    except ValueError:
        try:
            said = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"invalid time {text!r}; expected one such as 18:00 or 2026-11-30T18:00Z") from None
        return said.astimezone(UTC)
    moment = local.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
    return (moment if moment > local else moment + timedelta(days=1)).astimezone(UTC)


def _holds(kind: object, wanted: type) -> bool:
    """Whether a type is the wanted one, alone, in a union, or annotated."""
    if kind is wanted:
        return True
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) in {typing.Union, typing.Annotated}:
        return any(_holds(one, wanted) for one in typing.get_args(kind))
    return False


def _summary(kind: CommandType) -> str:
    return (kind.__doc__ or "").partition("\n")[0].replace("%", "%%")

"""The edge: answers one question about the world, and makes one change."""

from functions.rotate_secrets import cloud_run, cloud_run_moves, secret_manager
from functions.rotate_secrets.changes import AddVersion, Retire, Roll, RotationChange, SecretChange, SetValue
from functions.rotate_secrets.kinds.database_address import DatabaseRefused
from functions.rotate_secrets.kinds.github_webhook import WebhookSecret
from functions.rotate_secrets.kinds.kind import Kind
from functions.rotate_secrets.kinds.postgres import PostgresPassword
from functions.rotate_secrets.kinds.random_text import RandomText
from functions.rotate_secrets.questions import (
    Acceptance,
    AddedVersion,
    DependentsIn,
    RotationNeed,
    RunningExecutionsIn,
    SecretsIn,
    VersionsOf,
)
from functions.rotate_secrets.settings import GithubWebhook, Postgres, Value
from shared.clients import Clients


def look(need: RotationNeed, clients: Clients) -> object:
    """The answer to one question. Raises what a call raises: a failed read never counts as "unused"."""
    match need:
        case SecretsIn(project=project):
            return secret_manager.secrets_in(project, clients)
        case VersionsOf(secret=secret):
            return secret_manager.versions_of(secret, clients)
        case AddedVersion():
            return secret_manager.added_version(need, clients)
        case DependentsIn(location=location):
            return cloud_run.dependents_in(location, clients)
        case RunningExecutionsIn(location=location):
            return cloud_run.running_executions_in(location, clients)
        case Acceptance():
            return _reason_refused(need, clients)


def apply(change: RotationChange, clients: Clients) -> None:
    """Make one change. Raises what the call raises, or ``StillBusy``, and never repeats it."""
    match change:
        case Roll():
            cloud_run_moves.roll(change, clients)
        case AddVersion():
            _add_versions(change, clients)
        case SetValue():
            _set_values(change, clients)
            secret_manager.write_state(change.existing, change.state, clients)
        case Retire():
            _retire(change, clients)
            secret_manager.write_state(change.existing, change.state, clients)
        case SecretChange():
            secret_manager.write_state(change.existing, change.state, clients)


def kind_of(value: Value, clients: Clients) -> Kind:
    """The kind of value that the settings describe."""
    match value:
        case Postgres():
            return PostgresPassword(value, clients)
        case GithubWebhook():
            return WebhookSecret(value, clients)
    return RandomText(value)


def _reason_refused(need: Acceptance, clients: Clients) -> str:
    """Why a version is not accepted; "" if it is."""
    held = secret_manager.payload(need.secret, need.version, clients)
    try:
        kind_of(need.value, clients).test(held)
    except DatabaseRefused as refused:
        return str(refused)
    return ""


def _add_versions(change: AddVersion, clients: Clients) -> None:
    """Make up the value of the first secret, and those of the others from that; record them, then add them."""
    value, (name, *others) = change.terms.secret.value, change.terms.secret.names

    def held(secret: str) -> bytes:
        number = change.current.get(secret, 0) if value.follows_current else 0
        return secret_manager.payload(secret, number, clients)

    kind = kind_of(value, clients)
    new = {name: kind.generate(held(name))}
    new |= {other: kind.adapt(held(other), new[name]) for other in others}
    if value.previous_secret and change.current[name]:
        _keep_previous(value.previous_secret, name, change.current[name], clients)
    secret_manager.add_versions(change.existing, change.state, new, clients)


def _set_values(change: SetValue, clients: Clients) -> None:
    """Set the value of the first secret; the others hold the same one, and are tested."""
    kind, first = kind_of(change.value, clients), change.existing.name
    held = {name: secret_manager.payload(name, number, clients) for name, number in change.versions.items()}
    kind.set_value(held[first], secret_manager.payload(first, change.current[first], clients))
    for name, value in held.items():
        if name != first:
            kind.test(value)


def _retire(change: Retire, clients: Clients) -> None:
    value, name = change.value, change.existing.name
    if value.is_outside and not value.replaces:
        current = secret_manager.payload(name, change.current[name], clients)
        kind_of(value, clients).revoke(current)
    if value.previous_secret and change.current[name]:
        _keep_previous(value.previous_secret, name, change.current[name], clients)
    for secret, versions in change.versions.items():
        secret_manager.disable(secret, versions, clients)


def _keep_previous(previous: str, secret: str, current: int, clients: Clients) -> None:
    """Let the value that counts be the one before, too: there will be a newer one, or there is none before any more."""
    secret_manager.keep(previous, secret_manager.payload(secret, current, clients), clients)

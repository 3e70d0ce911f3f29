"""The edge: reads what the plan needs into typed values, and makes one change.

Every client is imported when it is first needed.
"""

from functions.rotate_secrets import cloud_run, secret_manager
from functions.rotate_secrets.changes import AddVersion, Retire, Roll, RotationChange, SecretChange, SetValue
from functions.rotate_secrets.kinds.github_webhook import WebhookSecret
from functions.rotate_secrets.kinds.kind import Kind
from functions.rotate_secrets.kinds.postgres import PostgresPassword
from functions.rotate_secrets.kinds.random_text import RandomText
from functions.rotate_secrets.plan import are_dependents_needed, to_look_into
from functions.rotate_secrets.records import Occasion
from functions.rotate_secrets.settings import GithubWebhook, Postgres, Value
from functions.rotate_secrets.world import World
from shared.clients import Clients


def read(occasion: Occasion, clients: Clients) -> World:
    """As much of the world as the plan needs: the secrets, then versions and dependents of those that matter now.

    Raises what a call raises: a failed read is never "nobody uses it".
    """
    secrets = secret_manager.listed(occasion.settings, clients)
    keys = to_look_into(occasion, secrets)
    looked_into = clients.in_parallel(lambda key: secret_manager.with_versions(secrets[key], clients), keys)
    is_needed = are_dependents_needed(occasion, secrets)
    secrets |= dict(zip(keys, looked_into, strict=True))
    return World(secrets, cloud_run.dependents(occasion.settings, secrets, clients) if is_needed else None)


def apply(change: RotationChange, clients: Clients) -> None:
    """Make one change. Raises what the call raises, or ``StillBusy``, and never repeats it."""
    match change:
        case Roll():
            cloud_run.roll(change, clients)
        case AddVersion():
            number = change.current if change.value.follows_current else 0
            current = secret_manager.payload(change.existing.name, number, clients)
            _keep_previous(change, clients)
            value = kind_of(change.value, clients).generate(current)
            secret_manager.add_version(change.existing, change.saga, value, clients)
        case SetValue() | Retire():
            _tell_the_outside(change, clients)
            secret_manager.write_saga(change.existing, change.saga, clients)
        case SecretChange():
            secret_manager.write_saga(change.existing, change.saga, clients)


def kind_of(value: Value, clients: Clients) -> Kind:
    """What the settings of a value stand for."""
    match value:
        case Postgres():
            return PostgresPassword(value, clients)
        case GithubWebhook():
            return WebhookSecret(value, clients)
    return RandomText(value)


def _tell_the_outside(change: SetValue | Retire, clients: Clients) -> None:
    kind, name = kind_of(change.value, clients), change.existing.name
    is_told = isinstance(change, SetValue) or (change.value.is_outside and not change.value.replaces)
    current = secret_manager.payload(name, change.current, clients) if is_told else b""
    if isinstance(change, SetValue):
        kind.set_value(secret_manager.payload(name, change.version, clients), current)
        return
    if is_told:
        kind.revoke(current)
    _keep_previous(change, clients)
    secret_manager.disable(change.existing, change.versions, clients)


def _keep_previous(change: AddVersion | Retire, clients: Clients) -> None:
    """Let the value that counts be the one before, too: there will be a newer one, or there is none before any more."""
    previous = change.value.previous_secret
    if previous and change.current:
        secret_manager.keep(previous, secret_manager.payload(change.existing.name, change.current, clients), clients)

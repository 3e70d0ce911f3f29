"""Secret Manager on the local cloud, through the official client."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import secretmanager_v1 as secretmanager
from google.pubsub_v1 import PublisherClient, PubsubMessage, SubscriberClient

from localcloud import LocalCloud
from localcloud.core.messages import project_number
from localcloud.core.snapshot import Snapshot
from localcloud.secret_manager import rules
from localcloud.world import WorldError, seed, world_from
from shared.clients import Clients
from shared.errors import SettingsError

pytestmark = pytest.mark.one_python

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PROJECT = "projects/demo-project"
NUMBERED = f"projects/{project_number('demo-project')}"
SECRET = f"{PROJECT}/secrets/api-key"
TOPIC = f"{PROJECT}/topics/secrets"
INBOX = f"{PROJECT}/subscriptions/secrets"
AUTOMATIC: dict[str, object] = {"automatic": {}}
State = secretmanager.SecretVersion.State
Client = secretmanager.SecretManagerServiceClient


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=NOW) as cloud:
        yield cloud


@pytest.fixture
def clients(cloud: LocalCloud) -> Iterator[Clients]:
    clients = Clients("demo-project", endpoint=cloud.address)
    yield clients
    clients.close()


@pytest.fixture
def manager(clients: Clients) -> Client:
    return clients.of(Client)


@pytest.fixture
def inbox(clients: Clients) -> SubscriberClient:
    clients.of(PublisherClient).create_topic(name=TOPIC)
    subscriber = clients.of(SubscriberClient)
    subscriber.create_subscription(name=INBOX, topic=TOPIC)
    return subscriber


def create(manager: Client, key: str = "api-key", *payloads: bytes, **fields: object) -> secretmanager.Secret:
    request = {"parent": PROJECT, "secret_id": key, "secret": {"replication": AUTOMATIC, **fields}}
    made = manager.create_secret(request)
    for payload in payloads:
        add(manager, payload, key)
    return made


def add(manager: Client, payload: bytes, key: str = "api-key") -> secretmanager.SecretVersion:
    return manager.add_secret_version({"parent": f"{PROJECT}/secrets/{key}", "payload": {"data": payload}})


def update(manager: Client, *paths: str, etag: str = "", **fields: object) -> secretmanager.Secret:
    return manager.update_secret({"secret": {"name": SECRET, "etag": etag, **fields}, "update_mask": {"paths": paths}})


def access(manager: Client, version: str) -> bytes:
    return manager.access_secret_version(name=f"{SECRET}/versions/{version}").payload.data


def received(inbox: SubscriberClient) -> list[PubsubMessage]:
    """The messages that have come since this was asked last."""
    found = inbox.pull(subscription=INBOX, max_messages=100).received_messages
    if found:
        inbox.acknowledge(subscription=INBOX, ack_ids=[one.ack_id for one in found])
    return [one.message for one in found]


def events(inbox: SubscriberClient) -> list[str]:
    return sorted(message.attributes["eventType"] for message in received(inbox))


def test_a_secret_has_versions_that_are_accessed_by_number_alias_and_latest(manager: Client) -> None:
    made = create(manager, "api-key", b"one", b"two", labels={"tier": "web"})
    assert made.name == f"{NUMBERED}/secrets/api-key"
    assert made.create_time == NOW
    update(manager, "version_aliases", version_aliases={"current": 1})
    assert [access(manager, version) for version in ("1", "2", "latest", "current")] == [b"one", b"two", b"two", b"one"]
    answer = manager.access_secret_version(name=f"{NUMBERED}/secrets/api-key/versions/latest")
    assert answer.name == f"{NUMBERED}/secrets/api-key/versions/2"
    assert answer.payload.data_crc32c == rules.checksum(b"two")
    assert manager.get_secret_version(name=f"{SECRET}/versions/current").name.endswith("/versions/1")
    assert dict(manager.get_secret(name=SECRET).labels) == {"tier": "web"}


def test_lists_have_the_newest_first_and_pages(manager: Client) -> None:
    for secret_id in ("b", "a", "c"):
        create(manager, secret_id)
    for payload in (b"1", b"2", b"3"):
        add(manager, payload, "a")
    secrets = manager.list_secrets(request={"parent": PROJECT, "page_size": 2})
    assert [[one.name[-1] for one in page.secrets] for page in secrets.pages] == [["c", "a"], ["b"]]
    versions = list(manager.list_secret_versions(parent=f"{PROJECT}/secrets/a"))
    assert [one.name.rpartition("/")[2] for one in versions] == ["3", "2", "1"]
    assert list(manager.list_secrets(parent="projects/another")) == []
    with pytest.raises(exceptions.InvalidArgument, match="Unparseable filter"):
        manager.list_secrets(request={"parent": PROJECT, "filter": "name:a OR name:b"})


def test_a_regional_secret_is_in_its_region_alone(manager: Client) -> None:
    region = f"{PROJECT}/locations/europe-west1"
    made = manager.create_secret({"parent": region, "secret_id": "here", "secret": {}})
    manager.add_secret_version({"parent": made.name, "payload": {"data": b"value"}})
    assert [one.name for one in manager.list_secrets(parent=region)] == [
        f"{NUMBERED}/locations/europe-west1/secrets/here"
    ]
    assert list(manager.list_secrets(parent=PROJECT)) == []
    name = f"{region}/secrets/here/versions/latest"
    assert manager.access_secret_version(name=name).payload.data == b"value"


def test_versions_are_disabled_enabled_and_destroyed(manager: Client) -> None:
    create(manager, "api-key", b"one", b"two")
    second = {"name": f"{SECRET}/versions/2"}
    assert manager.disable_secret_version(second).state == State.DISABLED
    for version in ("2", "latest"):
        with pytest.raises(exceptions.FailedPrecondition, match=r"versions/2\] is in DISABLED state\."):
            access(manager, version)
    assert manager.enable_secret_version(second).state == State.ENABLED
    assert access(manager, "latest") == b"two"
    destroyed = manager.destroy_secret_version(second)
    assert (destroyed.state, destroyed.destroy_time) == (State.DESTROYED, NOW)
    for call in (manager.enable_secret_version, manager.disable_secret_version, manager.destroy_secret_version):
        with pytest.raises(exceptions.FailedPrecondition, match="is in DESTROYED state"):
            call(second)
    assert add(manager, b"three").name.endswith("/versions/3")


def test_destruction_can_be_delayed_and_taken_back(cloud: LocalCloud, manager: Client, inbox: SubscriberClient) -> None:
    create(manager, "api-key", b"one", b"two", version_destroy_ttl=timedelta(days=2), topics=[{"name": TOPIC}])
    received(inbox)
    first, second = ({"name": f"{SECRET}/versions/{number}"} for number in (1, 2))
    waiting = manager.destroy_secret_version(first)
    assert (waiting.state, waiting.scheduled_destroy_time) == (State.DISABLED, NOW + timedelta(days=2))
    assert manager.destroy_secret_version(first) == waiting
    manager.destroy_secret_version(second)
    assert "scheduled_destroy_time" not in manager.enable_secret_version(second)
    assert events(inbox) == ["SECRET_VERSION_DESTROY_SCHEDULED"] * 2 + ["SECRET_VERSION_ENABLE"]
    cloud.clock.advance(timedelta(days=3))
    assert manager.get_secret_version(first).state == State.DESTROYED
    assert manager.get_secret_version(second).state == State.ENABLED
    assert events(inbox) == ["SECRET_VERSION_DESTROY"]


def test_an_update_changes_the_fields_of_the_mask_under_the_etag(manager: Client) -> None:
    made = create(manager, annotations={"owner": "web"}, labels={"a": "b"})
    changed = update(manager, "annotations", etag=made.etag, annotations={"step": "1"}, labels={"c": "d"})
    assert (dict(changed.annotations), dict(changed.labels)) == ({"step": "1"}, {"a": "b"})
    assert changed.etag != made.etag
    with pytest.raises(exceptions.FailedPrecondition, match="etag"):
        update(manager, "annotations", etag=made.etag, annotations={})
    assert manager.get_secret(name=SECRET) == changed
    assert dict(update(manager, "annotations").annotations) == {}


def test_etags_stand_before_every_other_change(manager: Client) -> None:
    create(manager, "api-key", b"one")
    version = f"{SECRET}/versions/1"
    for call in (manager.disable_secret_version, manager.enable_secret_version, manager.destroy_secret_version):
        with pytest.raises(exceptions.FailedPrecondition):
            call({"name": version, "etag": '"stale"'})
    with pytest.raises(exceptions.FailedPrecondition):
        manager.delete_secret({"name": SECRET, "etag": '"stale"'})
    current = manager.get_secret_version(name=version).etag
    assert manager.disable_secret_version({"name": version, "etag": current}).etag != current


def test_every_change_is_published_and_reading_is_not(manager: Client, inbox: SubscriberClient) -> None:
    create(manager, topics=[{"name": TOPIC}])
    (greeting, created) = sorted(received(inbox), key=lambda message: len(message.attributes))
    assert (greeting.data, dict(greeting.attributes)) == (b"", {"eventType": "TOPIC_CONFIGURED"})
    assert dict(created.attributes) == {
        "eventType": "SECRET_CREATE",
        "dataFormat": "JSON_API_V1",
        "secretId": f"{NUMBERED}/secrets/api-key",
        "timestamp": "2026-10-31T17:00:00-07:00",
    }
    add(manager, b"one")
    (added,) = received(inbox)
    assert added.attributes["versionId"] == f"{NUMBERED}/secrets/api-key/versions/1"
    assert json.loads(added.data)["state"] == "ENABLED"
    access(manager, "1")
    update(manager, "labels", labels={"a": "b"})
    manager.disable_secret_version(name=f"{SECRET}/versions/1")
    manager.disable_secret_version(name=f"{SECRET}/versions/1")
    manager.destroy_secret_version(name=f"{SECRET}/versions/1")
    assert events(inbox) == ["SECRET_UPDATE", "SECRET_VERSION_DESTROY", "SECRET_VERSION_DISABLE"]
    manager.delete_secret(name=SECRET)
    (deleted,) = received(inbox)
    assert (deleted.attributes["eventType"], deleted.attributes["deleteType"]) == ("SECRET_DELETE", "REQUESTED")


def test_a_rotation_schedule_publishes_when_it_is_due(
    cloud: LocalCloud, manager: Client, inbox: SubscriberClient
) -> None:
    rotation = {"next_rotation_time": NOW + timedelta(hours=2), "rotation_period": timedelta(hours=24)}
    create(manager, topics=[{"name": TOPIC}], rotation=rotation)
    received(inbox)
    cloud.clock.advance(timedelta(hours=1))
    assert received(inbox) == []
    cloud.clock.advance(timedelta(hours=1))
    (notice,) = received(inbox)
    assert notice.attributes["eventType"] == "SECRET_ROTATE"
    # What it shows is the time after this one, as that has been set already.
    assert json.loads(notice.data)["rotation"]["nextRotationTime"] == "2026-11-02T02:00:00Z"
    cloud.clock.advance(timedelta(days=3))
    assert events(inbox) == ["SECRET_ROTATE"] * 3
    update(manager, "rotation")
    assert "rotation" not in manager.get_secret(name=SECRET)
    received(inbox)
    cloud.clock.advance(timedelta(days=3))
    assert received(inbox) == []


def test_a_single_rotation_comes_once(cloud: LocalCloud, manager: Client, inbox: SubscriberClient) -> None:
    create(manager, topics=[{"name": TOPIC}], rotation={"next_rotation_time": NOW + timedelta(hours=2)})
    # What was planned at first no longer counts.
    update(manager, "rotation", rotation={"next_rotation_time": NOW + timedelta(hours=4)})
    received(inbox)
    cloud.clock.advance(timedelta(hours=3))
    assert received(inbox) == []
    cloud.clock.advance(timedelta(hours=3))
    assert events(inbox) == ["SECRET_ROTATE"]


def test_a_secret_expires(cloud: LocalCloud, manager: Client, inbox: SubscriberClient) -> None:
    made = create(manager, topics=[{"name": TOPIC}], ttl=timedelta(hours=1))
    assert made.expire_time == NOW + timedelta(hours=1)
    received(inbox)
    cloud.clock.advance(timedelta(hours=1))
    (notice,) = received(inbox)
    assert notice.attributes["deleteType"] == "EXPIRED"
    with pytest.raises(exceptions.NotFound):
        manager.get_secret(name=SECRET)


def test_managed_rotation_is_seen_and_stays(cloud: LocalCloud, manager: Client) -> None:
    state = secretmanager.Rotation.ManagedRotationStatus.State.ACTIVE
    create(manager, secret_type=secretmanager.Secret.SecretType.CLOUD_SQL_DB_CREDENTIALS)
    cloud.secrets.set_managed_rotation(SECRET, state)
    update(manager, "labels", labels={"a": "b"})
    seen = manager.get_secret(name=SECRET)
    assert seen.rotation.managed_rotation_status.state == state
    assert seen.secret_type == secretmanager.Secret.SecretType.CLOUD_SQL_DB_CREDENTIALS


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"replication": {}}, "replication"),
        ({"topics": [{"name": f"{PROJECT}/topics/t{number}"} for number in range(11)]}, "at most 10"),
        ({"topics": [{"name": "secrets"}]}, "'secrets' must be projects/"),
        ({"rotation": {"next_rotation_time": NOW + timedelta(days=1)}}, "topics must be set"),
        ({"labels": {"Upper": "case"}}, "'Upper'"),
        ({"annotations": {"-dash": "first"}}, "'-dash'"),
        ({"annotations": {"a": "x" * 16 * 1024}}, "16385 bytes"),
        ({"version_destroy_ttl": timedelta(hours=23)}, "between 1 and 1000 days"),
        ({"version_aliases": {"current": 1}}, "no version"),
    ],
)
def test_a_secret_beyond_the_limits_is_refused(manager: Client, fields: dict[str, Any], named: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=named):
        create(manager, **fields)
    assert list(manager.list_secrets(parent=PROJECT)) == []


@pytest.mark.parametrize(
    ("rotation", "named"),
    [
        ({"next_rotation_time": NOW + timedelta(seconds=299)}, "at least 300 seconds"),
        ({"rotation_period": timedelta(days=1)}, "next_rotation_time must be set"),
        ({"next_rotation_time": NOW + timedelta(days=1), "rotation_period": timedelta(seconds=3599)}, "3600 seconds"),
    ],
)
@pytest.mark.usefixtures("inbox")
def test_a_schedule_beyond_the_limits_is_refused(manager: Client, rotation: dict[str, object], named: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=named):
        create(manager, topics=[{"name": TOPIC}], rotation=rotation)


REFUSED: list[tuple[Callable[[Client], object], type[exceptions.GoogleAPICallError], str]] = [
    (lambda manager: create(manager, "a.b"), exceptions.InvalidArgument, "secret_id 'a.b'"),
    (create, exceptions.AlreadyExists, "already exists"),
    (lambda manager: create(manager, "b", topics=[{"name": TOPIC}]), exceptions.NotFound, "resource=secrets"),
    (lambda manager: add(manager, b""), exceptions.InvalidArgument, "must not be empty"),
    (lambda manager: add(manager, b"x" * (64 * 1024 + 1)), exceptions.InvalidArgument, "65537 bytes"),
    (
        lambda manager: manager.add_secret_version({"parent": SECRET, "payload": {"data": b"x", "data_crc32c": 1}}),
        exceptions.InvalidArgument,
        "checksum",
    ),
    (update, exceptions.InvalidArgument, "update_mask"),
    (lambda manager: update(manager, "replication"), exceptions.InvalidArgument, "cannot be changed"),
    (
        lambda manager: update(manager, "version_aliases", version_aliases={"latest": 1}),
        exceptions.InvalidArgument,
        "'latest'",
    ),
    (
        lambda manager: update(manager, "version_aliases", version_aliases={"current": 7}),
        exceptions.InvalidArgument,
        "no version 7",
    ),
    (lambda manager: access(manager, "7"), exceptions.NotFound, r"versions/7\] not found"),
    (lambda manager: access(manager, "nobody"), exceptions.NotFound, r"versions/nobody\] not found"),
    (lambda manager: manager.get_secret(name=f"{PROJECT}/secrets/other"), exceptions.NotFound, "not found"),
    (lambda manager: manager.get_secret(name="api-key"), exceptions.InvalidArgument, "'api-key'"),
    (lambda manager: manager.list_secrets(parent="here"), exceptions.InvalidArgument, "'here'"),
]


@pytest.mark.parametrize(("call", "error", "named"), REFUSED)
def test_what_cannot_be_is_refused(
    manager: Client, call: Callable[[Client], object], error: type[exceptions.GoogleAPICallError], named: str
) -> None:
    create(manager, "api-key", b"one")
    with pytest.raises(error, match=named):
        call(manager)
    assert len(list(manager.list_secret_versions(parent=SECRET))) == 1


def test_checksums_are_crc32c() -> None:
    assert rules.checksum(b"123456789") == 0xE3069283  # the check value of CRC-32C


def test_the_largest_payload_and_its_checksum_are_taken(manager: Client) -> None:
    create(manager)
    payload = b"x" * 64 * 1024
    checked = {"data": payload, "data_crc32c": rules.checksum(payload)}
    assert manager.add_secret_version({"parent": SECRET, "payload": checked}).client_specified_payload_checksum
    assert access(manager, "latest") == payload


WORLD = {
    "projects": {
        "demo-project": {
            "topics": ["secrets"],
            "secrets": {
                "github-token": {"versions": ["old", {"payload": "new", "state": "DISABLED"}], "labels": {"a": "b"}},
                "db": {
                    "versions": [{"payload": "gone", "state": "DESTROYED"}, "here"],
                    "annotations": {"owner": "web"},
                    "version_aliases": {"current": 2},
                    "topics": [TOPIC],
                    "next_rotation_time": "2026-11-02T00:00:00Z",
                    "rotation_period": 86400,
                    "version_destroy_ttl": 86400,
                    "managed_rotation": True,
                    "proto": {"secret_type": "OTHER_DB_CREDENTIALS"},
                },
                "europe-west1/regional": {"versions": ["value"]},
            },
        }
    }
}


def test_a_world_has_secrets(cloud: LocalCloud, manager: Client) -> None:
    seed(cloud, world_from(WORLD))
    assert access_of(manager, "github-token", "1") == b"old"
    states = [version.state for version in manager.list_secret_versions(parent=f"{PROJECT}/secrets/github-token")]
    assert states == [State.DISABLED, State.ENABLED]
    assert access_of(manager, "db", "current") == b"here"
    secret = manager.get_secret(name=f"{PROJECT}/secrets/db")
    assert secret.rotation.rotation_period == timedelta(days=1)
    assert secret.rotation.managed_rotation_status.state == secretmanager.Rotation.ManagedRotationStatus.State.ACTIVE
    assert secret.secret_type == secretmanager.Secret.SecretType.OTHER_DB_CREDENTIALS
    assert [one.name for one in manager.list_secrets(parent=f"{PROJECT}/locations/europe-west1")] == [
        f"{NUMBERED}/locations/europe-west1/secrets/regional"
    ]


def access_of(manager: Client, secret_id: str, version: str) -> bytes:
    return manager.access_secret_version(name=f"{PROJECT}/secrets/{secret_id}/versions/{version}").payload.data


@pytest.mark.parametrize(
    ("secret", "named"),
    [
        ({"versions": [{"payload": "x", "state": "GONE"}]}, r"'GONE' for .*secrets\.key\.versions\[0\]\.state"),
        ({"labels": {"A": "b"}}, r"secrets\.key; .*'A'"),
        ({"labels": {"a": "b"}, "proto": {"labels": {"a": "b"}}}, "proto.labels: this is said in its short form"),
    ],
)
def test_a_secret_that_cannot_be_is_named(cloud: LocalCloud, secret: dict[str, object], named: str) -> None:
    with pytest.raises((SettingsError, WorldError), match=named):
        seed(cloud, world_from({"projects": {"demo-project": {"secrets": {"key": secret}}}}))


def test_a_snapshot_brings_secrets_back(cloud: LocalCloud, manager: Client, inbox: SubscriberClient) -> None:
    rotation = {"next_rotation_time": NOW + timedelta(hours=2), "rotation_period": timedelta(hours=24)}
    create(manager, "api-key", b"one", topics=[{"name": TOPIC}], rotation=rotation)
    received(inbox)
    before = Snapshot(cloud)
    for _ in range(2):
        add(manager, b"two")
        manager.destroy_secret_version(name=f"{SECRET}/versions/1")
        cloud.clock.advance(timedelta(hours=2))
        assert events(inbox) == ["SECRET_ROTATE", "SECRET_VERSION_ADD", "SECRET_VERSION_DESTROY"]
        before.restore()
        assert access(manager, "latest") == b"one"

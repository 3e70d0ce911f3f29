"""The services that a deployment calls, through Google's own clients."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.api_core.exceptions import InvalidArgument, MethodNotImplemented, PermissionDenied
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.orgpolicy_v2 import OrgPolicyClient
from google.cloud.resourcemanager_v3 import ProjectsClient
from google.cloud.service_usage_v1 import ServiceUsageClient, State

from localcloud import LocalCloud
from localcloud.logging.filter import all_hold, parse_filter
from shared.clients import Clients

pytestmark = pytest.mark.one_python

NOON = datetime(2026, 11, 15, 12, tzinfo=UTC)
PROJECT = "projects/my-product"


@pytest.fixture(name="cloud")
def a_cloud() -> Iterator[LocalCloud]:
    """A local cloud with its clock at noon."""
    with LocalCloud(now=NOON) as cloud:
        yield cloud


@pytest.fixture(name="clients")
def some_clients(cloud: LocalCloud) -> Clients:
    """Google's clients for it."""
    return Clients("my-product", endpoint=cloud.address)


def read(clients: Clients, filter_: str = "", order: str = "", size: int = 0) -> list[str]:
    """The texts of the entries that match a filter."""
    request = {"resource_names": [PROJECT], "filter": filter_, "order_by": order, "page_size": size}
    entries = clients.of(LoggingServiceV2Client).list_log_entries(request=request)
    return [entry.text_payload or str(entry.json_payload["message"]) for entry in entries]


def test_lines_become_entries(cloud: LocalCloud, clients: Clients) -> None:
    cloud.logging.write_line("my-product", "caretaker-sweep", b'{"severity": "ERROR", "message": "one", "n": 1.5}\n')
    cloud.clock.advance(timedelta(minutes=1))
    cloud.logging.write_line("my-product", "caretaker-sweep", b"a warning of some library\n")
    cloud.logging.write_line("my-product", "another", b"[1]")
    cloud.logging.write_line("my-previews", "caretaker-sweep", b'{"message": "elsewhere"}')
    assert read(clients) == ["one", "a warning of some library", "[1]"]
    assert read(clients, order="timestamp desc", size=1) == ["[1]", "a warning of some library", "one"]
    assert read(clients, 'resource.labels.service_name="caretaker-sweep" AND severity>=WARNING') == ["one"]
    assert read(clients, f'timestamp>"{NOON.isoformat()}"') == ["a warning of some library", "[1]"]
    (entry, *_) = clients.of(LoggingServiceV2Client).list_log_entries(request={"resource_names": [PROJECT]})
    assert (int(entry.severity), entry.resource.type) == (500, "cloud_run_revision")
    assert entry.timestamp.astimezone(UTC) == NOON


@pytest.mark.parametrize(
    ("line", "is_text"),
    [
        (b'{"severity": "ERROR", "message": "one"}', True),
        (b'{"message": "one", "httpRequest": {"status": 200}, "logging.googleapis.com/spanId": "4a"}', True),
        (b'{"message": "one", "webhook": {"outcome": "not published"}}', False),
        (b'{"message": "one", "time": "2026-11-15T12:00:00Z"}', False),
    ],
)
def test_a_message_alone_is_text(cloud: LocalCloud, clients: Clients, line: bytes, *, is_text: bool) -> None:
    cloud.logging.write_line("my-product", "caretaker-sweep", line)
    assert read(clients, 'textPayload="one"') == (["one"] if is_text else [])
    assert read(clients, 'jsonPayload.message="one"') == ([] if is_text else ["one"])


@pytest.mark.parametrize(
    "request_",
    [
        {"resource_names": []},
        {"resource_names": [PROJECT], "order_by": "severity"},
        {"resource_names": [PROJECT], "filter": "a OR b"},
    ],
)
def test_what_cannot_be_read(clients: Clients, request_: dict[str, object]) -> None:
    with pytest.raises(InvalidArgument):
        list(clients.of(LoggingServiceV2Client).list_log_entries(request=request_))


def test_what_is_not_served(clients: Clients) -> None:
    with pytest.raises(MethodNotImplemented):
        clients.of(LoggingServiceV2Client).delete_log(log_name=f"{PROJECT}/logs/x")


ENTRY = {
    "severity": "WARNING",
    "timestamp": "2026-11-15T12:00:00+00:00",
    "jsonPayload": {
        "report": {
            "automation": "sweep",
            "failed_money": 2,
            "is_so": True,
            "alerts": [{"kind": "stock_out"}, {"kind": "no_data"}],
            "refusals": [],
        }
    },
}


@pytest.mark.parametrize(
    ("filter_", "holds"),
    [
        ("", True),
        ('jsonPayload.report.automation="sweep"', True),
        ('jsonPayload.report.automation="Sweep"', True),
        ('jsonPayload.report.automation="swee"', False),
        ('jsonPayload.report.automation:"wee"', True),
        ("jsonPayload.report.automation:*", True),
        ("jsonPayload.report.refusals.guard:*", False),
        ('jsonPayload.report.alerts.kind="no_data"', True),
        ('jsonPayload.report.alerts.kind="overdue"', False),
        ('jsonPayload.report.alerts.kind!="no_data"', False),
        ('jsonPayload.report.nothing!="x"', True),
        ('NOT jsonPayload.report.alerts.kind=~"^(no_data|overdue)$"', False),
        ('jsonPayload.report.alerts.kind:* AND NOT jsonPayload.report.alerts.kind="overdue"', True),
        ("NOT jsonPayload.report.nothing:*", True),
        ("jsonPayload.report.failed_money>0", True),
        ("jsonPayload.report.failed_money>2", False),
        ("jsonPayload.report.failed_money>=2 AND severity<ERROR", True),
        ("jsonPayload.report.is_so=true", True),
        ("severity>=ERROR", False),
        ('timestamp>="2026-11-15T12:00:00Z" timestamp<="2026-11-15T12:00:00Z"', True),
        ('jsonPayload.report.automation=~"^sw"', True),
        ('jsonPayload.report.automation!~"^sw"', False),
        ("jsonPayload.report.automation>3", False),
    ],
)
def test_a_filter(filter_: str, holds: bool) -> None:  # noqa: FBT001
    assert all_hold(parse_filter(filter_), json.loads(json.dumps(ENTRY))) is holds


def test_projects_and_what_one_may_do_in_them(cloud: LocalCloud, clients: Clients) -> None:
    cloud.resource_manager.add_project("my-product", organization="123456789012")
    cloud.resource_manager.deny("my-product", "iam.roles.create")
    project = clients.of(ProjectsClient).get_project(name=PROJECT)
    assert (project.project_id, project.parent) == ("my-product", "organizations/123456789012")
    answer = clients.of(ProjectsClient).test_iam_permissions(
        request={"resource": PROJECT, "permissions": ["iam.roles.create", "run.services.list"]}
    )
    assert list(answer.permissions) == ["run.services.list"]
    with pytest.raises(PermissionDenied):
        clients.of(ProjectsClient).get_project(name="projects/gone")
    for request in ({"resource": PROJECT}, {"resource": "folders/7", "permissions": ["x"]}):
        with pytest.raises(InvalidArgument):
            clients.of(ProjectsClient).test_iam_permissions(request=request)


def test_enabled_apis(cloud: LocalCloud, clients: Clients) -> None:
    cloud.service_usage.disable("my-product", "run.googleapis.com")
    names = [f"{PROJECT}/services/{service}" for service in ("run.googleapis.com", "pubsub.googleapis.com")]
    client = clients.of(ServiceUsageClient)
    answer = client.batch_get_services(request={"parent": PROJECT, "names": names})
    assert [service.state for service in answer.services] == [State.DISABLED, State.ENABLED]
    for wrong in ([], names * 16, ["projects/others/services/run.googleapis.com"]):
        with pytest.raises(InvalidArgument):
            client.batch_get_services(request={"parent": PROJECT, "names": wrong})


def test_organization_policies(cloud: LocalCloud, clients: Clients) -> None:
    name = f"{PROJECT}/policies/iam.allowedPolicyMemberDomains"
    client = clients.of(OrgPolicyClient)
    (rule,) = client.get_effective_policy(name=name).spec.rules
    assert rule.allow_all
    cloud.org_policy.allow_only("my-product", "iam.allowedPolicyMemberDomains", "C01234567")
    (rule,) = client.get_effective_policy(name=name).spec.rules
    assert (list(rule.values.allowed_values), rule.allow_all) == (["C01234567"], False)
    with pytest.raises(InvalidArgument):
        client.get_effective_policy(name=PROJECT)

"""The HTTP port as a proxy: Google's own URLs lead to the local cloud, and all others nowhere."""

import http.client
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import grpc
import pytest
from google.pubsub_v1 import PublisherClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from localcloud import LocalCloud

HOST = "pubsub.googleapis.com"
TOPICS = "/v1/projects/demo-project/topics"


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(now=datetime(2026, 11, 1, tzinfo=UTC)) as cloud:
        yield cloud


@pytest.fixture
def trusting(cloud: LocalCloud) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=cloud.http.authority.certificate.decode())
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python does from 3.13 on
    return context


def _tunnel(cloud: LocalCloud, host: str, context: ssl.SSLContext) -> http.client.HTTPSConnection:
    proxy = urlsplit(cloud.http_address)
    connection = http.client.HTTPSConnection(proxy.hostname or "", proxy.port, context=context, timeout=10)
    connection.set_tunnel(host, 443)
    return connection


def test_a_tunnel_leads_to_the_host_that_it_names(cloud: LocalCloud, trusting: ssl.SSLContext) -> None:
    connection = _tunnel(cloud, HOST, trusting)
    for name in ("one", "two"):  # on one connection
        connection.request("PUT", f"{TOPICS}/{name}", b"{}", {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert (answer.status, f"{TOPICS[4:]}/{name}".encode() in answer.read()) == (200, True)
    connection.close()


def test_links_lead_where_the_client_found_the_api(cloud: LocalCloud, trusting: ssl.SSLContext) -> None:
    cloud.storage.add_bucket("demo-project", "links")
    connection = _tunnel(cloud, "storage.googleapis.com", trusting)
    connection.request("POST", "/upload/storage/v1/b/links/o?uploadType=resumable&name=x", b"{}")
    assert (connection.getresponse().headers["Location"] or "").startswith("https://storage.googleapis.com/upload/")
    connection.close()


@pytest.mark.parametrize("host", ["example.com", "bigquery.googleapis.com", "pubsub.googleapis.com.example.com"])
def test_hosts_that_are_not_served_are_refused(cloud: LocalCloud, trusting: ssl.SSLContext, host: str) -> None:
    with pytest.raises(OSError, match="Tunnel connection failed: 403 Not served by the local cloud"):
        _tunnel(cloud, host, trusting).request("GET", "/")
    proxy = urlsplit(cloud.http_address)
    connection = http.client.HTTPConnection(proxy.hostname or "", proxy.port, timeout=10)
    connection.request("GET", f"http://{host}/")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (
        403,
        f"{host} is not served by the local cloud, which as a proxy leads nowhere else\n".encode(),
    )
    connection.close()


def test_an_absolute_url_is_of_its_host_and_our_own_address_is_no_host(cloud: LocalCloud) -> None:
    proxy = urlsplit(cloud.http_address)
    connection = http.client.HTTPConnection(proxy.hostname or "", proxy.port, timeout=10)
    for url in (f"http://{HOST}{TOPICS}", f"{cloud.http_address}/{HOST}{TOPICS}", f"/{HOST}{TOPICS}"):
        connection.request("GET", url)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
    connection.close()
    assert {call.method for call in cloud.server.calls[-3:]} == {"google.pubsub.v1.Publisher/ListTopics"}


def test_grpc_in_a_tunnel_reaches_the_same_services(cloud: LocalCloud) -> None:
    credentials = grpc.ssl_channel_credentials(cloud.http.authority.certificate)
    options = [("grpc.http_proxy", cloud.http_address)]
    with grpc.secure_channel(f"{HOST}:443", credentials, options) as channel:
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        topic = publisher.create_topic(name=f"{TOPICS[4:]}/by-grpc", timeout=10)
        published = [
            publisher.publish(topic=topic.name, messages=[types.PubsubMessage(data=b"x" * 200_000)], timeout=10)
            for _ in range(5)
        ]
    assert len({answer.message_ids[0] for answer in published}) == 5


def test_a_client_that_does_not_trust_the_certificate_gets_a_clear_error(cloud: LocalCloud) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        _tunnel(cloud, HOST, ssl.create_default_context()).request("GET", TOPICS)
    connection = http.client.HTTPConnection(urlsplit(cloud.http_address).netloc, timeout=10)
    connection.request("GET", f"/{HOST}{TOPICS}")
    assert connection.getresponse().status == 200
    connection.close()

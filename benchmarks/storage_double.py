"""The local cloud with a bucket full of backups, as a process of its own, for the tools that prune it.

``python -m benchmarks.storage_double COUNT [CERTIFICATE KEY]`` prints where it is, and when its standard input ends,
how many requests it has had. With a certificate it also serves Cloud Storage as the whole of an HTTPS host.
"""

import ssl
import sys
from collections import Counter

import msgspec

from benchmarks.stored_backups import A_MINUTE, BUCKET, NOW, name_of
from localcloud import LocalCloud
from localcloud.storage.request import HOST
from localcloud.storage.state import Zeros


class Served(msgspec.Struct, frozen=True):
    """The folder of everything."""

    grpc: str
    http: str
    now: str
    https_port: int


class Requests(msgspec.Struct, frozen=True):
    """The requests over the wire, by kind, and the objects left in the bucket."""

    kinds: dict[str, int]
    left: int

    @property
    def total(self) -> int:
        """All requests to Cloud Storage."""
        return sum(self.kinds.values())


def serve(count: int, certificate: tuple[str, str] | None) -> None:
    """Serve until standard input ends."""
    with LocalCloud(now=NOW) as cloud:
        cloud.storage.add_bucket("my-product", BUCKET)
        for number in reversed(range(count)):
            taken = NOW - (number + 1) * A_MINUTE
            cloud.storage.add_object(BUCKET, name_of(number), Zeros(1000), created=taken)
        port = 0
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            port = cloud.http.serve_host(HOST, context)
        _say(Served(cloud.address, cloud.http_address, cloud.now_address, port))
        sys.stdin.read()
        methods = [call.method for call in cloud.server.calls if f" {HOST}/" in call.method]
        has_batches = any("/batch/" in method for method in methods)
        # What is in a batch is no request of its own.
        sent = [method for method in methods if not (has_batches and method.startswith("DELETE"))]
        kinds = Counter("batch" if "/batch/" in method else method.split()[0] for method in sent)
        _say(Requests(dict(kinds), len(cloud.storage.names(BUCKET))))


def _say(what: msgspec.Struct) -> None:
    sys.stdout.write(msgspec.json.encode(what).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve(int(sys.argv[1]), (sys.argv[2], sys.argv[3]) if len(sys.argv) > 2 else None)

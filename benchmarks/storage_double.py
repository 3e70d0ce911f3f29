"""The local cloud with a bucket full of backups, as a process of its own, for the tools that prune it.

``python -m benchmarks.storage_double COUNT [CERTIFICATE KEY]`` prints where it is, and when its standard input ends,
how many requests it has had. With a certificate it also serves Cloud Storage as the whole of an HTTPS host.
"""

import ssl
import sys
import threading
from collections import Counter

import msgspec

from benchmarks.stored_backups import A_MINUTE, BUCKET, NOW, name_of
from localcloud import LocalCloud
from localcloud.core.calls import Method
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
        counted = _counted(cloud)
        _say(Served(cloud.address, cloud.http_address, cloud.now_address, port))
        sys.stdin.read()
        # What is in a batch is no request of its own.
        kinds = {kind: count for kind, count in counted.items() if not (counted["batch"] and kind == "DELETE")}
        _say(Requests(kinds, len(cloud.storage.names(BUCKET))))


def _counted(cloud: LocalCloud) -> Counter[str]:
    """The requests from now on, by kind, which are not kept: the local cloud keeps no more than the newest."""
    counted: Counter[str] = Counter()
    lock = threading.Lock()

    def record(method: Method, *_: object) -> None:
        if f" {HOST}/" in method.name:
            with lock:
                counted["batch" if "/batch/" in method.name else method.name.split()[0]] += 1

    vars(cloud.server)["record"] = record
    return counted


def _say(what: msgspec.Struct) -> None:
    sys.stdout.write(msgspec.json.encode(what).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve(int(sys.argv[1]), (sys.argv[2], sys.argv[3]) if len(sys.argv) > 2 else None)

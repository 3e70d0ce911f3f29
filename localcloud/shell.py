"""The environment with which a shell's official clients and tools reach a local cloud, and nothing else.

The proxy takes the place of endpoint overrides: `gcloud`, `gsutil`, curl, Node and Python, by REST and by gRPC, use the
world's own URLs. A person's own settings and credentials are neither read nor changed.
"""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from localcloud.iam.tokens import ACCESS_TOKEN

PATIENCE_SECONDS = 10
NO_PROXY = "127.0.0.1,localhost"
READABLE_BY_OWNER = 0o600


def write_environment(http: str, folder: Path, project: str) -> Mapping[str, str]:
    """The variables to set for the local cloud at this address.

    What some of them name, by its full path, is written into ``folder``: certificate, credentials, settings. Raises
    ``OSError`` if nothing answers there.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with build_opener(ProxyHandler({})).open(f"{http}/localcloud/certificate", timeout=PATIENCE_SECONDS) as answer:
        certificate = _write(folder / "certificate.pem", answer.read().decode())
    token = _write(folder / "access-token", ACCESS_TOKEN)
    person = {"type": "authorized_user", "client_id": "local", "client_secret": "local", "refresh_token": "local"}
    credentials = _write(folder / "credentials.json", json.dumps(person | {"quota_project_id": project}))
    boto = _write(
        folder / "boto",
        f"[Credentials]\ngs_oauth2_refresh_token = local\n[OAuth2]\nclient_id = local\nclient_secret = local\n"
        f"[Boto]\nca_certificates_file = {certificate}\n[GSUtil]\ndefault_project_id = {project}\n",
    )
    proxies = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), http)
    certificates = (
        *("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
        *("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE"),
    )
    return {
        **proxies,
        **dict.fromkeys(("NO_PROXY", "no_proxy"), NO_PROXY),
        **dict.fromkeys(certificates, certificate),
        "GOOGLE_APPLICATION_CREDENTIALS": credentials,
        "GOOGLE_OAUTH_ACCESS_TOKEN": ACCESS_TOKEN,
        **dict.fromkeys(("GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"), project),
        "CLOUDSDK_CONFIG": str(folder / "gcloud"),
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": token,
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
        "CLOUDSDK_CORE_PASS_CREDENTIALS_TO_GSUTIL": "false",
        "BOTO_CONFIG": boto,
    }


def export_lines(environment: Mapping[str, str]) -> str:
    """The lines that a shell evaluates, or a person pastes."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())


def _write(path: Path, text: str) -> str:
    path.touch(mode=READABLE_BY_OWNER)
    path.write_text(text, encoding="utf-8")
    return str(path)

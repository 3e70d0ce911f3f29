"""Says where everything is, for `./deploy.sh --local`, an official client or a hand-made event."""

import json
from pathlib import Path

from local.suite import WEBHOOK_SECRET_FILE, Suite


def write_endpoints(path: Path, suite: Suite, settings: Path | None = None, deployment: Path | None = None) -> None:
    """Write the addresses of a suite and its local cloud, and the files with its settings, whole or not at all."""
    cloud = suite.cloud
    endpoints = {
        "functions": suite.address,
        "grpc": cloud.address,
        "clock": cloud.now_address,
        "http": cloud.http_address,
        "webhook_secret_file": str(path.parent / WEBHOOK_SECRET_FILE),
        "storage": f"{cloud.http_address}/storage.googleapis.com",
        "github": f"{cloud.http_address}/api.github.com",
        "project": suite.project,
        "settings": str(settings.resolve()) if settings else "",
        "deployment": str(deployment) if deployment else "",
    }
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(endpoints, indent=2) + "\n", encoding="utf-8")
    fresh.replace(path)

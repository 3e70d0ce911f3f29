"""Writes a report to a file: HTML, Markdown or JSON by how its name ends."""

from pathlib import Path
from zoneinfo import ZoneInfo

from infra.deploy.target import Target
from infra.suite.deployment import Suite
from report.compose import picture_of
from report.reading import local_zone, read_sources
from report.rendering import as_json, html, markdown
from report.sources import Month

RENDERINGS = {".html": html, ".md": markdown, ".json": as_json}


def write(suite: Suite, target: Target, out: Path, *, month: Month | None = None, zone: ZoneInfo | None = None) -> Path:
    """The file that was written: of this month, unless another is named. Raises what reading and writing raise."""
    now, zone = target.now(), zone or local_zone()
    sources = read_sources(suite, target, now=now, zone=zone, month=month or Month.around(now, zone))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(RENDERINGS[out.suffix](picture_of(sources)), encoding="utf-8")
    return out

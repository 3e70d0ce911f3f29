"""The page of this moment and the headers of its answer, for the console and the service."""

from infra.deploy.target import Target
from infra.suite.deployment import Suite
from report.compose import picture_of
from report.reading import local_zone, read_sources
from report.rendering import html, policy
from report.sources import Month


def current_page(suite: Suite, target: Target, *, month: str = "", console: object = None) -> str:
    """The page of a month such as ``2026-10``, or of this one, read now.

    Raises ``ValueError`` for what is no month, and what the clients raise.
    """
    now, zone = target.now(), local_zone()
    shown = Month.named(month, zone) if month else Month.around(now, zone)
    return html(picture_of(read_sources(suite, target, now=now, zone=zone, month=shown)), console=console)


def security_headers(*, is_console: bool = False) -> dict[str, str]:
    """Headers of an answer that no cache keeps, no page frames, and that runs nothing but our own script."""
    return {
        "Content-Security-Policy": f"{policy(is_console=is_console)}; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }

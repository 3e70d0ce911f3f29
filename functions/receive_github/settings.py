"""Settings of `receive_github`: where its secrets are mounted, and which repositories it accepts webhooks of."""

from typing import Annotated

from msgspec import Meta

from shared.settings import Section

Mounted = Annotated[str, Meta(pattern=r"^/.+", examples=["/secrets/webhook/current"])]


class Settings(Section, frozen=True, kw_only=True):
    """The section `receive_github` of ``caretaker.yaml``."""

    repositories: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[\w.-]+/[\w.-]+$", examples=["my-team/my-product"])], ...],
        Meta(min_length=1),
    ]
    """As ``owner/name``. What others send, with a good signature too, is answered and goes no further."""
    secret_file: Mounted = "/secrets/github-webhook/current"  # noqa: S105 - a path
    """The mounted file with the webhook's secret. It is read every minute, so rotating it needs no deployment."""
    previous_secret_file: Mounted = "/secrets/github-webhook-previous/previous"  # noqa: S105 - a path
    """The mounted file with the previous secret, if any: both are accepted while GitHub moves to the new one."""

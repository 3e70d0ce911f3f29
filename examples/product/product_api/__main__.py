"""Serves the API (``python -m product_api``), or makes its tables (``python -m product_api create-tables``)."""

import os
import sys

from product_api.database import Base, make_engine
from product_api.logs import log_to_standard_output
from product_api.settings import Settings, SettingsError

GRACE_SECONDS = 8
"""To end what has begun: Cloud Run allows ten."""


def main(arguments: list[str]) -> None:
    """Run the command until it is done or the process is stopped."""
    if arguments not in ([], ["create-tables"]):
        raise SystemExit("usage: python -m product_api [create-tables]")
    try:
        settings = Settings.of(os.environ)
    except SettingsError as error:
        raise SystemExit(str(error)) from error
    log_to_standard_output(settings.project)
    if arguments:
        engine = make_engine(settings)
        Base.metadata.create_all(engine)
        engine.dispose()
    else:
        serve(settings)


def serve(settings: Settings) -> None:
    """Answer requests until the process is stopped."""
    import uvicorn

    from product_api.main import create_app

    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


if __name__ == "__main__":
    main(sys.argv[1:])

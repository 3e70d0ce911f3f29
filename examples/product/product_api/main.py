"""The API itself: what it answers at which path."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, HTTPException, Path, Response, status
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from product_api.database import OrderRow, make_engine
from product_api.seen import RequestsSeen
from product_api.settings import Settings
from product_api.traces import make_provider

LOG = logging.getLogger(__name__)
NEWEST = 50
LARGEST_ID = 2**31 - 1
"""Of PostgreSQL's integer."""


class NewOrder(BaseModel):
    """An order."""

    item: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]  # PostgreSQL stores no NUL
    quantity: Annotated[int, Field(ge=1, le=1_000_000)]


class Order(NewOrder):
    """An order that was taken."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    created_at: datetime


class State(BaseModel):
    """The state of the API."""

    status: str


class Health(State):
    """The state of the process, and what it was built from."""

    commit: str
    """Empty if the build did not set it."""


def create_app(settings: Settings) -> FastAPI:
    """The API with its database and its traces, as an ASGI application."""
    engine = make_engine(settings)
    provider = make_provider(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # What blocks is answered in threads: so many requests, and so many connections, at a time.
        current_default_thread_limiter().total_tokens = settings.concurrent_requests
        yield
        engine.dispose()
        provider.shutdown()  # sends what is not sent yet

    app = FastAPI(title="Product", lifespan=lifespan)
    app.add_middleware(RequestsSeen, tracer=provider.get_tracer("product_api"))

    @app.get("/health")
    async def health() -> Health:
        """Whether the process lives. It asks nothing else: an outage of the database must not restart it."""
        return Health(status="ok", commit=settings.commit)

    @app.get("/ready")
    def ready(response: Response) -> State:
        """Whether requests can be served: the database answers."""
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except DBAPIError as error:
            LOG.warning("the database does not answer: %s", error.orig)
            response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
            return State(status="the database does not answer")
        return State(status="ok")

    @app.get("/orders")
    def newest_orders() -> list[Order]:
        """The newest orders, the newest first."""
        with Session(engine) as session:
            rows = session.scalars(select(OrderRow).order_by(OrderRow.id.desc()).limit(NEWEST))
            return [Order.model_validate(row) for row in rows]

    @app.get("/orders/{number}")
    def one_order(number: Annotated[int, Path(ge=1, le=LARGEST_ID)]) -> Order:
        """One order."""
        with Session(engine) as session:
            row = session.get(OrderRow, number)
            if row is None:
                raise HTTPException(status.HTTP_404_NOT_FOUND, f"there is no order {number}")
            return Order.model_validate(row)

    @app.post("/orders", status_code=status.HTTP_201_CREATED)
    def take_order(order: NewOrder) -> Order:
        """Take an order."""
        # What the insert returned is known: reading it again after the commit would take a second connection.
        with Session(engine, expire_on_commit=False) as session:
            row = OrderRow(item=order.item, quantity=order.quantity)
            session.add(row)
            session.commit()
            LOG.info("order %d taken", row.id)
            return Order.model_validate(row)

    return app

"""The API's way to PostgreSQL: the engine, with the pool that fits where it runs, and the table."""

from datetime import datetime
from typing import TypedDict

from sqlalchemy import Engine, NullPool, Pool, QueuePool, String, create_engine, func, make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from product_api.settings import Settings

CONNECT_SECONDS = 5


class PoolArguments(TypedDict, total=False):
    """The pool settings of SQLAlchemy's engine."""

    poolclass: type[Pool]
    pool_size: int
    max_overflow: int
    pool_pre_ping: bool
    pool_recycle: int


def pool_arguments(*, is_serverless: bool) -> PoolArguments:
    """No connection is kept in serverless, where instances come and go; a worker keeps 5 and takes 10 more when busy.

    An instance on Cloud Run that kept a pool would hold connections while its CPU sleeps between requests: dozens of
    instances would use up PostgreSQL's limit with unused connections, some of them dead.
    """
    if is_serverless:
        return {"poolclass": NullPool}
    return {
        "poolclass": QueuePool,
        "pool_size": 5,
        "max_overflow": 10,
        "pool_pre_ping": True,  # one that died in the pool is replaced before it is used
        "pool_recycle": 1800,
    }


def make_engine(settings: Settings) -> Engine:
    """The engine. Nothing is connected to yet."""
    address = make_url(settings.database_url).set(drivername="postgresql+psycopg")
    address = address.update_query_dict({"connect_timeout": str(CONNECT_SECONDS)})
    return create_engine(address, **pool_arguments(is_serverless=settings.is_serverless))


class Base(DeclarativeBase):
    """The base of all tables."""


class OrderRow(Base):
    """An order, as it is stored."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    item: Mapped[str] = mapped_column(String(100))
    quantity: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

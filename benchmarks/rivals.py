"""Other ways to do the same work from asyncio, for comparison: none of them is a divisor.

Each uses the loader's schema and the same tuples. Slow ones run with fewer movies, and their figure is scaled
to 2,000 movies.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from databases import Database
from sqlalchemy import ForeignKey, delete, event, insert
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks import loader
from benchmarks.clock import Stopwatch
from benchmarks.data import MovieRow, make_movies


class Base(DeclarativeBase):
    """The base of the mapped classes."""


class ItemRecord(Base):
    """A movie."""

    __tablename__ = "media_items"

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    year: Mapped[int | None]
    updated_at: Mapped[str]


class PersonRecord(Base):
    """A person."""

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    image_url: Mapped[str | None]
    updated_at: Mapped[str]


class CreditRecord(Base):
    """A credit."""

    __tablename__ = "media_people"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    media_item_id: Mapped[str] = mapped_column(ForeignKey("media_items.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    person_type: Mapped[str]
    role: Mapped[str | None]
    sort_order: Mapped[int]


DATABASES_UPSERT_ITEM = """
INSERT INTO media_items (id, title, year, updated_at) VALUES (:id, :title, :year, :updated_at)
ON CONFLICT (id) DO UPDATE
SET title = excluded.title, year = excluded.year, updated_at = excluded.updated_at
"""

DATABASES_UPSERT_PERSON = """
INSERT INTO people (id, name, image_url, updated_at) VALUES (:id, :name, :image_url, :updated_at)
ON CONFLICT (id) DO UPDATE
SET name = excluded.name, image_url = excluded.image_url, updated_at = excluded.updated_at
"""

DATABASES_DELETE_CREDITS = "DELETE FROM media_people WHERE media_item_id = :media_item_id"

DATABASES_INSERT_CREDIT = """
INSERT INTO media_people (media_item_id, person_id, person_type, role, sort_order)
VALUES (:media_item_id, :person_id, :person_type, :role, :sort_order)
"""


async def run(name: str, path: str, movies: int) -> dict[str, Any]:
    """Run one rival on a new database."""
    rows = make_movies(movies)
    loader.open_database(Path(path)).close()
    return await RIVALS[name](path, rows)


async def databases_row_by_row(path: str, movies: Sequence[MovieRow]) -> dict[str, Any]:
    """`databases` as its documentation shows it: one awaited statement for each row."""
    async with Database(f"sqlite+aiosqlite:///{path}") as database:
        watch = Stopwatch()
        for movie in movies:
            async with database.transaction():
                await _save_with_databases(database, movie)
    return {**watch.read()}


async def orm_merge(path: str, movies: Sequence[MovieRow]) -> dict[str, Any]:
    """SQLAlchemy's asyncio ORM: merge rows that may exist, one session and commit for each movie."""
    engine = _engine(path)
    sessions = async_sessionmaker(engine)
    watch = Stopwatch()
    for movie in movies:
        async with sessions() as session, session.begin():
            await session.merge(ItemRecord(**_item(movie)))
            for person in _people([movie]):
                await session.merge(PersonRecord(**person))
            await session.execute(delete(CreditRecord).where(CreditRecord.media_item_id == movie.id))
            session.add_all(CreditRecord(**credit) for credit in _credits([movie]))
    await engine.dispose()
    return {**watch.read()}


async def core_in_bulk(path: str, movies: Sequence[MovieRow]) -> dict[str, Any]:
    """SQLAlchemy's Core, used in bulk by an expert: four statements for 500 movies."""
    engine = _engine(path)
    upsert_items = _upsert(ItemRecord)
    upsert_people = _upsert(PersonRecord)
    watch = Stopwatch()
    for start in range(0, len(movies), loader.BATCH):
        batch = movies[start : start + loader.BATCH]
        ids = [movie.id for movie in batch]
        async with engine.begin() as connection:
            await connection.execute(upsert_items, [_item(movie) for movie in batch])
            await connection.execute(upsert_people, _people(batch))
            await connection.execute(delete(CreditRecord).where(CreditRecord.media_item_id.in_(ids)))
            await connection.execute(insert(CreditRecord.__table__), _credits(batch))  # type: ignore[arg-type]
    await engine.dispose()
    return {**watch.read()}


RIVALS: dict[str, Callable[[str, Sequence[MovieRow]], Awaitable[dict[str, Any]]]] = {
    "databases": databases_row_by_row,
    "orm": orm_merge,
    "core": core_in_bulk,
}


async def _save_with_databases(database: Database, movie: MovieRow) -> None:
    await database.execute(DATABASES_UPSERT_ITEM, _item(movie))
    for person in _people([movie]):
        await database.execute(DATABASES_UPSERT_PERSON, person)
    await database.execute(DATABASES_DELETE_CREDITS, {"media_item_id": movie.id})
    for credit in _credits([movie]):
        await database.execute(DATABASES_INSERT_CREDIT, credit)


def _engine(path: str) -> AsyncEngine:
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}")

    @event.listens_for(engine.sync_engine, "connect")
    def relax(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous = NORMAL")

    return engine


def _upsert(record: type[Base]) -> Any:
    statement = upsert(record.__table__)  # type: ignore[arg-type]
    others = {column.name: column for column in statement.excluded if column.name != "id"}
    return statement.on_conflict_do_update(index_elements=["id"], set_=others)


def _item(movie: MovieRow) -> dict[str, Any]:
    return {"id": movie.id, "title": movie.title, "year": movie.year, "updated_at": _now()}


def _people(movies: Sequence[MovieRow]) -> list[dict[str, Any]]:
    now = _now()
    people = {
        credit.person_id: {
            "id": credit.person_id,
            "name": credit.name,
            "image_url": credit.image,
            "updated_at": now,
        }
        for movie in movies
        for credit in movie.credits
    }
    return list(people.values())


def _credits(movies: Sequence[MovieRow]) -> list[dict[str, Any]]:
    return [
        {
            "media_item_id": movie.id,
            "person_id": credit.person_id,
            "person_type": credit.person_type,
            "role": credit.role,
            "sort_order": credit.sort_order,
        }
        for movie in movies
        for credit in movie.credits
    ]


def _now() -> str:
    return datetime.now(UTC).isoformat()

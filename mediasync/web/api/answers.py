"""What the API answers where the library has no model of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, Field

from mediasync.changes import Change
from mediasync.history import HistoryEntry
from mediasync.models import AnyMediaItem, Credit, Episode, Movie, Season, Show
from mediasync.summaries import PersonSummary
from mediasync.vocabulary import RunStatus

T = TypeVar("T")


class Rows(BaseModel, Generic[T]):
    """A whole list.

    Attributes:
        rows: the entries.
    """

    rows: list[T]


class MovieAnswer(Movie):
    """A movie with its cast and crew."""

    credits: list[Credit] | None = Field(default=None, exclude=True)


class ShowAnswer(Show):
    """A show with its own cast and crew, without those of its seasons and episodes."""

    credits: list[Credit] | None = Field(default=None, exclude=True)


class SeasonAnswer(Season):
    """A season with its own cast and crew."""

    credits: list[Credit] | None = Field(default=None, exclude=True)


class EpisodeAnswer(Episode):
    """An episode with its cast and crew."""

    credits: list[Credit] | None = Field(default=None, exclude=True)


ItemAnswer = Annotated[
    MovieAnswer | ShowAnswer | SeasonAnswer | EpisodeAnswer, Field(discriminator="media_type")
]
"""An item. Its credits are in ``cast`` and ``crew`` and not repeated in one list."""

_ANSWERS = {Movie: MovieAnswer, Show: ShowAnswer, Season: SeasonAnswer, Episode: EpisodeAnswer}


def as_answer(item: AnyMediaItem) -> ItemAnswer:
    """Return an item as the API answers it."""
    return _ANSWERS[type(item)].model_construct(**dict(item))  # type: ignore[return-value]


class PersonAnswer(PersonSummary):
    """A person with their ids at public providers.

    Attributes:
        provider_ids: ids at public providers, for example ``{"tmdb": "6384"}``.
        created_at: when they were first stored.
        updated_at: when they were last changed.
    """

    provider_ids: dict[str, str] = Field(default_factory=dict)
    created_at: datetime | None = None
    updated_at: datetime | None = None


class SyncNote(BaseModel):
    """Something that a sync met.

    Attributes:
        subject: the item, file or library that it is about.
        text: what happened to it.
    """

    subject: str
    text: str


class SyncAnswer(BaseModel):
    """The state of the newest sync of a source that this server has begun.

    Attributes:
        source_id: the source.
        running: whether it is still under way.
        began_at: when it was asked for.
        ended_at: when it ended.
        scheduled: whether the schedule began it.
        full: whether everything is read again.
        run_id: the number of the run; None until the source has answered.
        status: how it ended.
        text: what it does, or how it ended, in words.
        error: why it failed.
        share: the fraction that is done, 0 to 1; None if unknown.
        library: the title of the library that is being read.
        seen: items that the source listed.
        saved: items that were written.
        unchanged: items that had not changed.
        failed: items that could not be read or stored.
        libraries_read: libraries that were finished.
        libraries: all libraries of the run.
        notes: the newest failures, problems and remarks.
    """

    source_id: str
    running: bool
    began_at: datetime
    ended_at: datetime | None
    scheduled: bool
    full: bool
    run_id: int | None
    status: RunStatus | None
    text: str
    error: str | None
    share: float | None
    library: str | None
    seen: int
    saved: int
    unchanged: int
    failed: int
    libraries_read: int
    libraries: int
    notes: list[SyncNote]


class RunProblem(BaseModel):
    """Something that a run could not read or store, or that people should know.

    Attributes:
        kind: ``failure`` (the item is not saved), ``problem`` (a part of it is not) or ``remark``.
        subject: the item, file or library.
        reason: what is wrong.
    """

    kind: str
    subject: str
    reason: str


class ChangePage(BaseModel):
    """A part of the change log.

    Attributes:
        rows: changes in the order of their commits.
        after: the number to give as ``after`` next time, even if there are no more changes now.
        more: whether there are more changes now.
    """

    rows: list[Change]
    after: int
    more: bool


class HistoryPage(BaseModel):
    """A part of the history.

    Attributes:
        rows: changes in their order, each with what it changed.
        next: the number to give as ``after`` for the next page; None on the last one.
    """

    rows: list[HistoryEntry]
    next: int | None = None


class Restored(BaseModel):
    """What was brought back.

    Attributes:
        ids: the ids of all items that are back.
    """

    ids: list[str]


class Counted(BaseModel):
    """How many items there are of one value.

    Attributes:
        value: the type, year, decade (its first year), genre, library or source.
        count: the number of items.
    """

    value: str | int
    count: int

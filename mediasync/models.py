"""The models: what callers save, and what they get back.

All are pydantic v2 models. Fields that only a stored object has (``id``, ``created_at``, …) are filled on
reading and ignored on saving, so an item that was read can be changed and saved again.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    computed_field,
    field_validator,
    model_validator,
)

from mediasync.ids import check_source_id, make_id
from mediasync.vocabulary import (
    CAST_TYPES,
    MEDIA_KINDS,
    Completeness,
    MediaType,
    PersonType,
    RunStatus,
    SourceKind,
)


def zoned_or_text(value: Any) -> Any:
    """Return a time as a `SourceTime`: a text without a zone stays a text.

    Raises:
        ValueError: if it is a time without a zone.
    """
    if isinstance(value, date) and getattr(value, "tzinfo", None) is None:
        raise ValueError("a time without a zone is ambiguous: attach its zone, or give its text")
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            return value
        return parsed if parsed.tzinfo else value
    return value


SourceTime = Annotated[datetime | str, BeforeValidator(zoned_or_text)]
"""A time from a source: a `datetime` where it has a zone, else the source's own text."""


PersonKind = Annotated[
    PersonType | str,
    BeforeValidator(lambda value: PersonType.parse(value) if isinstance(value, str) else value),
]
"""A `PersonType`, or the source's own word if the vocabulary lacks it."""

SourceKindName = Annotated[
    SourceKind | str,
    BeforeValidator(lambda value: SourceKind.parse(value) if isinstance(value, str) else value),
]
"""A `SourceKind`, or the name of a kind that a plug-in adds."""

if TYPE_CHECKING:
    # A member may be given as its text. It is always read as a member.
    CompletenessOrText = Completeness | Literal["none", "preview", "full"]
else:
    CompletenessOrText = Completeness


class Model(BaseModel):
    """The base of all models. Unknown fields are errors, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid")

    filled_on_reading: ClassVar[frozenset[str]] = frozenset({"created_at", "updated_at"})
    """The fields that only a stored object has; a save ignores them."""


class ComputingModel(Model):
    """The base of models with computed fields.

    ``model_validate`` drops the computed fields of ``model_dump``, so that a dump can be read back.
    """

    @model_validator(mode="before")
    @classmethod
    def _leave_out_computed(cls, values: Any) -> Any:
        computed = cls.model_computed_fields
        if not isinstance(values, dict) or computed.keys().isdisjoint(values):
            return values
        return {name: value for name, value in values.items() if name not in computed}


class Source(Model):
    """One configured server or folder.

    Attributes:
        id: chosen by the user, ``[a-z0-9][a-z0-9_-]*``; the first half of every id of the source.
        kind: a `SourceKind`, or the name of a kind that a plug-in adds. It must not change.
        name: for people. If it is empty, a stored name stays, and the name of a new source is its id.
        server_id: the server's id of itself, if it has one. A different server under the same source id is
            refused.

    Example:
        >>> Source(id="home", kind="jellyfin", name="Home").kind
        <SourceKind.JELLYFIN: 'jellyfin'>
    """

    id: str
    kind: SourceKindName
    name: str = ""
    server_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @field_validator("id")
    @classmethod
    def _check_id(cls, value: str) -> str:
        return check_source_id(value)


class Library(ComputingModel):
    """A section of a source.

    A library has two ids. ``id`` is the source's own key, as ``remote_id`` is for items and people.
    ``full_id`` is unique across sources: items have it as ``library_id``, and every call that reads a library
    takes it.

    Attributes:
        id: the source's own key of the library.
        source_id: the source it belongs to.
        title: for people. If it is empty, a stored title stays, and the title of a new library is its id.
        kind: ``movies`` or ``shows``; ``mixed`` for a folder with both.

    Example:
        >>> Library(id="movies", source_id="home", title="Movies", kind="movies").full_id
        'home:movies'
    """

    id: str = Field(min_length=1)
    source_id: str
    title: str = ""
    kind: Literal["movies", "shows", "mixed"]
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @field_validator("source_id")
    @classmethod
    def _check_source_id(cls, value: str) -> str:
        return check_source_id(value)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def full_id(self) -> str:
        """The id that is unique across sources, ``{source_id}:{id}``. ``model_dump`` includes it."""
        return make_id(self.source_id, self.id)


class Person(Model):
    """A human, as one source describes them.

    Attributes:
        remote_id: the source's own key of the person. If it is missing, the key is derived from
            ``provider_ids`` or the name (see `mediasync.ids.derive_person_key`).
        name: as the source spells it.
        image_path: a reference to the picture: a path or tag at the source, or the URL of a public provider.
            It never contains a secret.
        provider_ids: ids of the person at public providers, for example ``{"tmdb": "6384"}``.
        source_id: filled on reading; needed on saving only by `mediasync.MediaSync.people`.
        id: ``{source_id}:{remote_id}``; filled on reading.

    Example:
        >>> Person(remote_id="6384", name="Keanu Reeves").name
        'Keanu Reeves'
    """

    name: str
    remote_id: str | None = None
    image_path: str | None = None
    provider_ids: dict[str, str] = Field(default_factory=dict)
    source_id: str | None = None
    id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Credit(Model):
    """One person in one function, playing at most one character, in one item.

    Attributes:
        person: who is credited.
        person_type: a `PersonType`, or the source's own word if the vocabulary lacks it.
        role: the character, or the words of the crew job.
        sort_order: the position in the billing. A missing or negative one goes last. Stored positions are
            consecutive and start at 0.

    Example:
        >>> Credit(person=Person(name="Keanu Reeves"), person_type="Actor", role="Neo").person_type
        <PersonType.ACTOR: 'actor'>
    """

    person: Person
    person_type: PersonKind
    role: str | None = None
    sort_order: int | None = None

    @property
    def is_cast(self) -> bool:
        """Whether the credit belongs to the cast (actors and guest stars) rather than the crew."""
        return self.person_type in CAST_TYPES


class Rating(Model):
    """One rating of an item, on a scale of 0 to 10.

    Attributes:
        name: who gives the rating: ``imdb``, ``themoviedb``, ``critics``, …
        value: from 0 to 10.
        votes: the number of votes, if the source has it.
    """

    name: str = Field(min_length=1)
    value: float = Field(ge=0, le=10, allow_inf_nan=False)
    votes: int | None = Field(default=None, ge=0)


class MediaItem(ComputingModel):
    """The fields that movies, shows, seasons and episodes share.

    Attributes:
        remote_id: the source's own key of the item.
        title: as the source shows it.
        original_title: the title in the original language.
        sort_title: the title that lists are sorted by.
        overview: the plot.
        tagline: the slogan, one line.
        year: the year of release.
        premiere_date: the day of release or first broadcast.
        runtime_seconds: the running time.
        content_rating: the age rating, in the source's own words.
        ratings: the item's main rating comes first.
        genres: in the source's order.
        provider_ids: the item's ids at public providers: ``imdb``, ``tmdb``, ``tvdb``, …
        images: a reference without secrets for each kind of image: ``poster``, ``fanart``, …
        path: the file or folder, as the source names it.
        added_at: when the item was added to the source.
        changed_at: when the item last changed, according to the source.
        change_token: any text that differs once the item has changed.
        credits: cast and crew. ``None`` means that nothing is known, and keeps a stored list.
        completeness: how much of the credits the list contains. ``None`` means full for a list that is not
            empty, and unknown for an empty one: only an explicit ``"full"`` says that an item has no credits.
        id: ``{source_id}:{remote_id}``; filled on reading, like the fields after it.
    """

    media_type: MediaType
    remote_id: str = Field(min_length=1)
    title: str
    original_title: str | None = None
    sort_title: str | None = None
    overview: str | None = None
    tagline: str | None = None
    year: int | None = None
    premiere_date: date | None = None
    runtime_seconds: int | None = None
    content_rating: str | None = None
    ratings: list[Rating] = Field(default_factory=list)
    genres: list[str] = Field(default_factory=list)
    provider_ids: dict[str, str] = Field(default_factory=dict)
    images: dict[str, str] = Field(default_factory=dict)
    path: str | None = None
    added_at: SourceTime | None = None
    changed_at: SourceTime | None = None
    change_token: str | None = None
    credits: list[Credit] | None = None
    completeness: CompletenessOrText | None = None

    id: str | None = None
    source_id: str | None = None
    library_id: str | None = None
    parent_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    filled_on_reading = frozenset({"id", "source_id", "library_id", "parent_id", "created_at", "updated_at"})
    parent_types: ClassVar[frozenset[MediaType]] = frozenset()
    """The types that the parent of such an item may have."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def cast(self) -> list[Credit]:
        """The credits of actors and guest stars, in billing order. ``model_dump`` includes them."""
        return [credit for credit in self.credits or () if credit.is_cast]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def crew(self) -> list[Credit]:
        """All other credits, in billing order. ``model_dump`` includes them."""
        return [credit for credit in self.credits or () if not credit.is_cast]


class Movie(MediaItem):
    """A film.

    Example:
        >>> movie = Movie(remote_id="603", title="The Matrix", year=1999, credits=[
        ...     Credit(person=Person(remote_id="6384", name="Keanu Reeves"),
        ...            person_type="actor", role="Neo", sort_order=0)])
        >>> [credit.role for credit in movie.cast]
        ['Neo']
    """

    media_type: Literal[MediaType.MOVIE] = MediaType.MOVIE


class Show(MediaItem):
    """A series."""

    media_type: Literal[MediaType.SHOW] = MediaType.SHOW


class Season(MediaItem):
    """A season of a show.

    Attributes:
        parent_remote_id: the source's own key of the show.
        season_number: 0 for specials.
    """

    media_type: Literal[MediaType.SEASON] = MediaType.SEASON
    parent_remote_id: str | None = None
    season_number: int | None = None

    parent_types = MEDIA_KINDS[MediaType.SEASON].parents


class Episode(MediaItem):
    """An episode of a show.

    Attributes:
        parent_remote_id: the source's own key of the season, or of the show if there are no seasons.
        season_number: 0 for specials.
        episode_number: counted within the season.
        episode_number_end: the last episode, where one file contains several as one item.
    """

    media_type: Literal[MediaType.EPISODE] = MediaType.EPISODE
    parent_remote_id: str | None = None
    season_number: int | None = None
    episode_number: int | None = None
    episode_number_end: int | None = None

    parent_types = MEDIA_KINDS[MediaType.EPISODE].parents


AnyMediaItem = Annotated[Movie | Show | Season | Episode, Field(discriminator="media_type")]
"""An item of any type, distinguished by ``media_type``.

Use it to validate and serialise items of any type. With the base class `MediaItem`, pydantic (and so FastAPI)
leaves out the fields that only some types have.

Example:
    >>> from pydantic import TypeAdapter
    >>> item = TypeAdapter(AnyMediaItem).validate_python(
    ...     {"media_type": "episode", "remote_id": "7", "title": "Pilot", "episode_number": 1})
    >>> type(item).__name__, item.episode_number
    ('Episode', 1)
"""


ITEM_MODELS: Final[dict[str, type[AnyMediaItem]]] = {
    cls.model_fields["media_type"].default: cls for cls in (Movie, Show, Season, Episode)
}
"""The model of each type of item."""


class FilmographyCredit(Model):
    """One credit of a person, with the item that it belongs to.

    Attributes:
        media_item_id: the item's full id.
        media_type: whether it is a movie, show, season or episode.
        title: the item's title.
        year: the year of release.
        season_number: set for seasons and episodes.
        episode_number: set for episodes.
        show_id: the id of the show that a season or episode belongs to.
        show_title: the title of that show.
        person_type: the person's function in the item.
        role: the character, or the words of the crew job.
        sort_order: the position in the item's billing.
    """

    media_item_id: str
    media_type: MediaType
    title: str
    year: int | None = None
    season_number: int | None = None
    episode_number: int | None = None
    show_id: str | None = None
    show_title: str | None = None
    person_type: PersonKind
    role: str | None = None
    sort_order: int


class LibraryRun(Model):
    """What one sync saw of one library.

    Attributes:
        run_id: the number of the run; 0 for a dry run.
        library_id: the library's full id.
        counted: how many items the library has, if the source says so.
        seen: how many items the source listed.
        unseen: how many stored items the source did not list. None unless it listed every item, or the
            library was not read at all because it is excluded or the source no longer has it.
        previews: for how many items the source gave only a part of the credits.
        complete: whether every item was listed.
        reason: why the list is not complete.
    """

    run_id: int
    library_id: str
    counted: int | None = None
    seen: int = 0
    unseen: int | None = None
    previews: int = 0
    complete: bool = False
    reason: str | None = None


class SyncRun(Model):
    """One recorded sync of one source.

    Attributes:
        id: the number of the run.
        source_id: the source that was synced.
        status: whether it is running, or how it ended.
        started_at: when it began.
        finished_at: when it ended; None while it is running.
        seen: items that the source listed.
        saved: items that were written.
        unchanged: items that were stored like this already, or were not read again.
        failed: items that could not be read or stored.
        error: why the whole run failed, if it did.
        partial: whether only some libraries or items of the source were requested.
    """

    id: int
    source_id: str
    status: RunStatus
    started_at: datetime
    finished_at: datetime | None = None
    seen: int = 0
    saved: int = 0
    unchanged: int = 0
    failed: int = 0
    error: str | None = None
    partial: bool = False


class RemovedItem(Model):
    """An item that its source no longer has. It is kept for some days, and comes back with its source.

    Attributes:
        id: the item's full id.
        source_id: its source.
        library_id: the full id of its library.
        media_type: whether it is a movie, show, season or episode.
        title: its title.
        year: the year of release.
        season_number: set for seasons and episodes.
        episode_number: set for episodes.
        show_title: the title of the show that a season or episode belongs to.
        credits: how many credits it has.
        missing_since: when it was found missing.
        run_id: the run that found it missing; None outside a run.
    """

    id: str
    source_id: str
    library_id: str
    media_type: MediaType
    title: str
    year: int | None = None
    season_number: int | None = None
    episode_number: int | None = None
    show_title: str | None = None
    credits: int = 0
    missing_since: datetime | None = None
    run_id: int | None = None


class PendingRemoval(Model):
    """A removal that is so large, or so strange, that somebody has to confirm it.

    Attributes:
        library_id: the full id of the library whose items would be removed.
        source_id: its source.
        run_id: the run that asked; 0 in a dry run.
        asked_at: when it asked.
        items: how many items would be removed.
        stored: how many items of the library are stored.
        reason: why it is not done without confirmation.
        item_ids: the ids of these items, in the report of the run that asked; empty where it is read later.
    """

    library_id: str
    source_id: str
    run_id: int
    asked_at: datetime | None = None
    items: int
    stored: int
    reason: str
    item_ids: tuple[str, ...] = ()

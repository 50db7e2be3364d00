"""The models: what callers give to be saved, and what they get back.

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
    """Return a time as a `SourceTime` holds it.

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
"""A time as a source tells it: with a zone a `datetime`, without one the source's own text."""


PersonKind = Annotated[
    PersonType | str,
    BeforeValidator(lambda value: PersonType.parse(value) if isinstance(value, str) else value),
]
"""A `PersonType`, or the source's own word where the vocabulary lacks it."""

SourceKindName = Annotated[
    SourceKind | str,
    BeforeValidator(lambda value: SourceKind.parse(value) if isinstance(value, str) else value),
]
"""A `SourceKind`, or the name of a kind that a plug-in adds."""

if TYPE_CHECKING:
    # Each member may be given by its text, and is always read as a member.
    CompletenessOrText = Completeness | Literal["none", "preview", "full"]
else:
    CompletenessOrText = Completeness


class Model(BaseModel):
    """The base of all models: unknown fields are errors, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid")

    filled_on_reading: ClassVar[frozenset[str]] = frozenset({"created_at", "updated_at"})
    """The fields that only a stored object has; a save ignores them."""


class ComputingModel(Model):
    """The base of models that dump more than their fields.

    What ``model_dump`` computes, ``model_validate`` accepts and leaves out, so that a dump can be read back.
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
        id: chosen by the user, ``[a-z0-9][a-z0-9_-]*``; the first half of every id below it.
        kind: a `SourceKind`, or the name of a kind that a plug-in adds. It must not change.
        name: what people call it. Without one a stored name stays, and a new source is called by its id.
        server_id: the server's own id of itself, where it has one. Another server under the same
            source id is refused.

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

    A library has two ids. ``id`` is the source's own key, what ``remote_id`` is to items and people.
    ``full_id`` is the id across sources: items have it as ``library_id``, and every call that reads a library
    takes it.

    Attributes:
        id: the source's own key of the library.
        source_id: the source it belongs to.
        title: what people call it. Without one a stored title stays, and a new library is called by its id.
        kind: ``movies`` or ``shows``; ``mixed`` where a folder holds both.

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
        """The id across sources: ``{source_id}:{id}``. It is part of what ``model_dump`` returns."""
        return make_id(self.source_id, self.id)


class Person(Model):
    """A human, as one source knows them.

    Attributes:
        remote_id: the source's own key of the person. Without one it is derived from ``provider_ids``
            or the name (see `mediasync.ids.derive_person_key`).
        name: as the source spells it.
        image_path: the picture as a reference, never with a secret in it: a path or tag at the source, or
            the URL of a public provider.
        provider_ids: ids of the person at public providers, for example ``{"tmdb": "6384"}``.
        source_id: the source; filled on reading, needed only by `mediasync.MediaSync.people`.
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
    """One person in one function, and as one character, in one item.

    Attributes:
        person: who.
        person_type: a `PersonType`, or the source's own word where the vocabulary lacks it.
        role: the character, or the crew job's own words.
        sort_order: the place in the billing; a missing or negative one goes last. Stored orders are dense
            and begin at 0.

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
        """Whether the credit is part of the cast (actors and guest stars), else of the crew."""
        return self.person_type in CAST_TYPES


class Rating(Model):
    """One rating of an item, on a scale of 0 to 10.

    Attributes:
        name: who rates: ``imdb``, ``themoviedb``, ``critics``, …
        value: 0 to 10.
        votes: how many voted, where the source says so.
    """

    name: str = Field(min_length=1)
    value: float = Field(ge=0, le=10, allow_inf_nan=False)
    votes: int | None = Field(default=None, ge=0)


class MediaItem(ComputingModel):
    """What movies, shows, seasons and episodes have in common.

    Attributes:
        remote_id: the source's own key of the item.
        title: as the source shows it.
        original_title: the title in the original language.
        sort_title: the title that lists are sorted by.
        overview: the plot.
        tagline: one line.
        year: of release.
        premiere_date: of release, or of first broadcast.
        runtime_seconds: the length.
        content_rating: the age rating, in the source's own words.
        ratings: on a scale of 0 to 10 each; the first is the item's main one.
        genres: in the source's order.
        provider_ids: the item's ids at public providers: ``imdb``, ``tmdb``, ``tvdb``, …
        images: kind (``poster``, ``fanart``, …) to a reference without secrets.
        path: the file or folder as the source names it.
        added_at: when the source got it.
        changed_at: when the source says that it changed.
        change_token: what the source gives to tell a changed item from an unchanged one.
        credits: cast and crew. ``None``: nothing is known, a stored list stays.
        completeness: what ``credits`` is. ``None`` means full for a list that is not empty, and nothing
            known for an empty one: only an explicit ``"full"`` says that an item has no credits.
        id: ``{source_id}:{remote_id}``; filled on reading, as are the fields after it.
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
    """The types that an item of this class may have as its parent."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def cast(self) -> list[Credit]:
        """The credits of actors and guest stars, in billing order. Part of what ``model_dump`` returns."""
        return [credit for credit in self.credits or () if credit.is_cast]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def crew(self) -> list[Credit]:
        """The credits that are not cast, in billing order. Part of what ``model_dump`` returns."""
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
        parent_remote_id: the source's own key of the season, or of the show where there are no seasons.
        season_number: 0 for specials.
        episode_number: inside the season.
        episode_number_end: the last one, where one file holds several as one item.
    """

    media_type: Literal[MediaType.EPISODE] = MediaType.EPISODE
    parent_remote_id: str | None = None
    season_number: int | None = None
    episode_number: int | None = None
    episode_number_end: int | None = None

    parent_types = MEDIA_KINDS[MediaType.EPISODE].parents


AnyMediaItem = Annotated[Movie | Show | Season | Episode, Field(discriminator="media_type")]
"""One item of any type, told apart by ``media_type``.

It is the type to validate and to serialise items by where any of them may come: annotated with the base
class `MediaItem`, pydantic (and so FastAPI) leaves out the fields that only some types have.

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
    """One credit of a person, seen from the person's side.

    Attributes:
        media_item_id: the item's id.
        media_type: what it is.
        title: its title.
        year: of release.
        season_number: of a season or an episode.
        episode_number: of an episode.
        show_id: the id of the show that a season or an episode belongs to.
        show_title: its title.
        person_type: the function.
        role: the character, or the job's own words.
        sort_order: the place in the item's billing.
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
        run_id: the run; 0 of a dry run.
        library_id: the library's full id.
        counted: how many items the source says it has, if it says so.
        seen: how many items it named.
        unseen: how many stored items it did not name; None unless every item was listed, or the library was
            not gone through at all: it is excluded, or the source does not list it any more.
        previews: of how many items it gave only a part of the credits.
        complete: whether every item was named.
        reason: why not.
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
        id: of the run.
        source_id: the source that was synced.
        status: how it stands or ended.
        started_at: when it began.
        finished_at: when it ended, once it has.
        seen: items that the source named.
        saved: items that were written.
        unchanged: items that were found as they are stored, or not read again because they had not changed.
        failed: items that could not be read or stored.
        error: why the whole run failed, if it did.
        partial: whether it was asked for some libraries or items of the source only.
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

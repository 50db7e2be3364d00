"""The normal form of items, which is compared and stored.

* Names and roles are trimmed; a missing text and an empty one are the same.
* Credits are sorted by (``sort_order`` missing or negative, ``sort_order``, position). Exact repeats of
  (person, type, role) are dropped and counted. The remaining ones are numbered 0…n-1.
* A credit whose name or type is empty is left out and reported.
* Secrets are cut out of paths and URLs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from operator import itemgetter
from typing import Any, Final, TypeVar

from mediasync.errors import InvalidId, InvalidItem, UsageError
from mediasync.ids import check_source_id, derive_person_key, make_id, name_key, split_id
from mediasync.models import Credit, Library, MediaItem, Movie, Person, Rating, Source, zoned_or_text
from mediasync.rows import (
    NUMBER_FIELDS,
    TEXT_FIELDS,
    CreditRow,
    NormalItem,
    PersonRow,
    merge_people,
    provider_ids_json,
)
from mediasync.saving.fingerprints import fingerprint, item_texts
from mediasync.text import check_texts, find_text_flaw, storable, without_secrets
from mediasync.validation import (
    MAX_ID_BYTES,
    MAX_NAME_BYTES,
    MAX_PROVIDER_BYTES,
    InvalidValue,
    check_length,
    check_provider_ids,
    checked,
    find_flaw,
    shown,
)
from mediasync.vocabulary import Completeness, PersonType

Described = TypeVar("Described", Source, Library)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_FIRST_TIME: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
_LAST_TIME: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
_LARGEST_NUMBER: Final = 2**31 - 1
_LARGEST_COUNT: Final = 2**53
_SURELY_SHORT: Final = MAX_NAME_BYTES // 4
"""A text of this many characters is short enough: a character takes at most four bytes."""
_SURELY_SHORT_PROVIDER: Final = MAX_PROVIDER_BYTES // 4
_NUMBERED: Final = frozenset({int})
_ORDER_TYPES: Final = frozenset({int, type(None)})
_PERSON_ID: Final = itemgetter(0)
_OF_PERSON: Final = itemgetter("name", "remote_id", "image_path", "provider_ids", "source_id")

# CPython's garbage collector stops tracking tuples of plain strings. A tuple with an enum member stays
# tracked; with a million credits, that makes every full collection slow.
_PLAIN_TYPES: Final[dict[str, str]] = {member: member.value for member in PersonType}


def normal_item(item: MediaItem, source_id: str, library_id: str) -> NormalItem:
    """Bring *item* into normal form.

    Args:
        item: an item as the caller made it.
        source_id: the source of the item.
        library_id: the full id of its library.

    Raises:
        InvalidItem: if a field cannot be stored; the message names it.
    """
    if not isinstance(item, MediaItem):
        raise UsageError(f"a {type(item).__name__} cannot be saved as a media item: give a Movie, say")
    try:
        return _normal_item(checked(item), source_id, library_id)
    except UsageError:
        raise
    except Exception as error:  # a field may hold any value that was assigned after the model was made
        raise _invalid(item, source_id, error) from error


def _invalid(item: MediaItem, source_id: str, error: Exception) -> InvalidItem:
    remote_id = item.__dict__.get("remote_id")
    item_id = make_id(source_id, storable(remote_id) if isinstance(remote_id, str) else shown(remote_id))
    if isinstance(error, InvalidValue):
        return InvalidItem(item_id, storable(str(error)))
    flaw = find_flaw(item) or f"a field holds a wrong value: {shown(error)}"
    return InvalidItem(item_id, storable(flaw))


def _normal_item(item: MediaItem, source_id: str, library_id: str) -> NormalItem:
    item_id = make_id(source_id, item.remote_id)
    if not item.remote_id:
        raise InvalidValue("remote_id is empty")
    check_length("remote_id", item_id, MAX_ID_BYTES)
    parent = item.__dict__.get("parent_remote_id")
    if parent:
        check_length("parent_remote_id", parent, MAX_ID_BYTES)
    normal = NormalItem(
        id=item_id,
        remote_id=item.remote_id,
        parent_id=make_id(source_id, parent) if parent else None,
        parent_types=item.parent_types,
        library_id=library_id,
        media_type=item.media_type,
        values=_values(item),
        external_ids=_external_ids(item.provider_ids) if item.provider_ids else (),
        genres=_genres(item.genres) if item.genres else (),
        ratings=_ratings(item.ratings) if item.ratings else (),
        images=_images(item.images) if item.images else (),
        change_token=item.change_token or None,
    )
    normal.item_fingerprint = _fingerprint(item_texts(normal), item, item_id)
    given = item.completeness or Completeness.NONE
    if not isinstance(given, Completeness):
        given = Completeness(given)
    if item.credits:
        _add_credits(normal, item, item.credits, source_id)
        if normal.credits:
            normal.completeness = Completeness.FULL if given is Completeness.NONE else given
    elif item.credits is not None and given is Completeness.FULL:
        normal.completeness = Completeness.FULL
    if normal.completeness is not Completeness.NONE:
        normal.credits_fingerprint = _fingerprint(list(chain.from_iterable(normal.credits)), item, item_id)
    return normal


def normal_credits(item_id: str, credits_given: Sequence[Credit]) -> NormalItem:
    """Bring a credit list that is saved without its item into normal form, as a full one.

    Raises:
        InvalidItem: if a text cannot be stored.
        InvalidId: if *item_id* is not an id.
    """
    source_id, remote_id = split_id(item_id)
    item = Movie(remote_id=remote_id, title="")
    normal = NormalItem(item_id, remote_id, None, frozenset(), "", "", (), (), (), (), (), None)
    try:
        item.credits = list(credits_given)
        _add_credits(normal, item, item.credits, source_id)
    except UsageError:
        raise
    except Exception as error:  # as of an item
        raise _invalid(item, source_id, error) from error
    normal.completeness = Completeness.FULL
    normal.credits_fingerprint = _fingerprint(list(chain.from_iterable(normal.credits)), item, item_id)
    return normal


def normal_person(person: Person, source_id: str | None = None) -> PersonRow:
    """Bring one person into normal form.

    Args:
        person: with an ``id``, or with a ``source_id`` (its own or the one given here).
        source_id: the source, if the person does not have one.

    Raises:
        UsageError: if there is no source, the name is empty, or a field cannot be stored.
    """
    if not isinstance(person, Person):
        raise UsageError(f"a {type(person).__name__} cannot be saved as a person: give a Person")
    try:
        return _normal_person(checked(person), source_id)
    except UsageError:
        raise
    except Exception as error:  # as of an item
        flaw = str(error) if isinstance(error, InvalidValue) else find_flaw(person) or shown(error)
        subject = shown(person.__dict__.get("id") or person.__dict__.get("name"))
        raise UsageError(storable(f"person {subject}: {flaw}")) from error


def normal_people(people: Iterable[Person], source_id: str | None = None) -> tuple[list[PersonRow], set[str]]:
    """Bring people into normal form, as `normal_person` does.

    Returns:
        Their rows in the order given, and the ids that were derived, because the source has none.
    """
    rows: list[PersonRow] = []
    derived: set[str] = set()
    for person in people:
        row = normal_person(person, source_id)
        rows.append(row)
        if person.id is None and not person.remote_id:
            derived.add(row[0])
    return rows, derived


def _normal_person(person: Person, source_id: str | None) -> PersonRow:
    if person.id is not None:
        known_source, remote_id = split_id(person.id)
    else:
        given = person.source_id or source_id
        if given is None:
            raise UsageError(f"person {person.name!r}: of which source? give its id, or a source_id")
        known_source = check_source_id(given)
        remote_id = person.remote_id or derive_person_key(person.name, _provider_ids(person.provider_ids))
    if source_id is not None and known_source != source_id:
        raise InvalidId(f"person {person.name!r} is of source {known_source!r}, not of {source_id!r}")
    name = person.name.strip()
    if not name:
        raise UsageError(f"person {make_id(known_source, remote_id)!r}: the name is empty")
    _check_person(remote_id, name, known_source + ":")
    row = (
        make_id(known_source, remote_id),
        name,
        _reference(person.image_path) if person.image_path is not None else "",
        _provider_ids_text(person.provider_ids),
    )
    texts = {"remote_id": row[0], "name": row[1], "image_path": row[2]}
    check_texts(f"person {name!r}", {"provider_ids": "".join(_flat(person.provider_ids)), **texts})
    return row


def _add_credits(normal: NormalItem, item: MediaItem, given: Sequence[Credit], source_id: str) -> None:
    prefix = source_id + ":"
    rows: list[CreditRow] = []
    derived: dict[str, str] = {}
    for credit in _in_order(given):
        # The hottest loop of a sync: reading __dict__ is faster than looking up attributes of a model.
        fields = credit.__dict__
        name, remote_id, image, ids, of_source = _OF_PERSON(fields["person"].__dict__)
        name = name.strip()
        person_type = fields["person_type"]
        kind = _PLAIN_TYPES.get(person_type) or str(PersonType.parse(person_type))
        if not name or not kind:
            if flaw := find_flaw(credit, f"credits[{_position(credit, given)}]."):
                raise InvalidValue(flaw)
            normal.problems.append(_nameless(credit, given))
            continue
        if of_source is not None and of_source != source_id:
            raise InvalidItem(
                normal.id,
                f"credit of {shown(name)}: the person is of source {shown(of_source)}, not {source_id!r}",
            )
        if image is None:
            image = ""
        elif type(image) is not str or "@" in image or "%" in image or "=" in image or image.isspace():
            image = _reference(image)
        ids_text = ""
        if ids or type(ids) is not dict:
            ids_text = _provider_ids_text(ids)
            if "\\u0000" in ids_text and "\0" in "".join(_flat(ids)):  # JSON hides NUL from the later check
                raise _unstorable(item, normal.id)
        if not remote_id:
            if remote_id not in (None, ""):
                raise TypeError("remote_id is not a text")
            remote_id = named = name_key(name)
            if ids:
                remote_id = derive_person_key(name, _provider_ids(ids))
            derived.setdefault(prefix + remote_id, prefix + named)
        if len(name) + len(remote_id) > _SURELY_SHORT:
            _check_person(remote_id, name, prefix, f"credits[{_position(credit, given)}].person.")
        role = fields["role"]
        rows.append(
            (
                prefix + remote_id,
                name,
                image,
                ids_text,
                kind,
                role.strip() if role is not None else "",
            )
        )
    if len(set(map(_PERSON_ID, rows))) < len(rows):
        rows = _with_one_row_per_person(rows)
        unique = dict.fromkeys(rows)
        normal.repeats = len(rows) - len(unique)
        rows = list(unique)
    normal.credits = rows
    normal.derived = derived


def _with_one_row_per_person(rows: list[CreditRow]) -> list[CreditRow]:
    people: dict[str, tuple[str, ...]] = {}
    merged = False
    for row in rows:
        known = people.setdefault(row[0], row)
        if known is not row and known[1:4] != row[1:4]:
            people[row[0]] = merge_people(known[:4], row[:4])  # type: ignore[arg-type]
            merged = True
    return [(*people[row[0]][:4], *row[4:]) for row in rows] if merged else rows  # type: ignore[misc]


def _in_order(given: Sequence[Credit]) -> Sequence[Credit]:
    orders = [credit.__dict__["sort_order"] for credit in given]
    types = set(map(type, orders))
    if types == _NUMBERED and orders[0] >= 0 and orders == sorted(orders):
        return given
    if not types <= _ORDER_TYPES:
        for position, credit in enumerate(given):
            if flaw := find_flaw(credit, f"credits[{position}]."):
                raise InvalidValue(flaw)
    return sorted(
        given,
        key=lambda credit: (
            (1, 0) if credit.sort_order is None or credit.sort_order < 0 else (0, credit.sort_order)
        ),
    )


def _position(credit: Credit, given: Sequence[Credit]) -> int:
    return next(index for index, other in enumerate(given) if other is credit)


def _check_person(remote_id: str, name: str, prefix: str, where: str = "") -> None:
    check_length(f"{where}remote_id", prefix + remote_id, MAX_ID_BYTES)
    check_length(f"{where}name", name, MAX_NAME_BYTES)


def _nameless(credit: Credit, given: Sequence[Credit]) -> str:
    position = _position(credit, given)
    what = "the person's name" if not credit.person.name.strip() else "the person type"
    role = f" (role {credit.role.strip()!r})" if credit.role and credit.role.strip() else ""
    return f"credit {position}{role}: {what} is empty; the credit was left out"


def _reference(path: str) -> str:
    if type(path) is not str:
        path = str.__str__(path)  # rows are compared, and a subclass may compare in its own way
    return "" if path.isspace() else without_secrets(path)


def _values(item: MediaItem) -> tuple[Any, ...]:
    fields = item.__dict__
    numbers = [fields.get(name) for name in NUMBER_FIELDS]
    for name, number in zip(NUMBER_FIELDS, numbers, strict=True):
        if number is not None:
            _check_number(number, name)
    return (
        item.title,
        *numbers,
        *[fields.get(name) or None for name in TEXT_FIELDS[1:]],
        item.premiere_date.isoformat() if item.premiere_date else None,
        without_secrets(item.path) if item.path else None,
        *(_time(item.added_at) if item.added_at else (None, None)),
        *(_time(item.changed_at) if item.changed_at else (None, None)),
    )


def _time(value: datetime | str) -> tuple[int | None, str | None]:
    value = zoned_or_text(value)
    if isinstance(value, datetime):
        time = (value - _EPOCH) // _MILLISECOND
        if not _FIRST_TIME <= time <= _LAST_TIME:
            raise InvalidValue(f"the time {value.isoformat()} is out of range in UTC")
        return time, None
    return None, value.strip() or None


def _check_number(value: int, name: str) -> None:
    if not -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER:
        raise InvalidValue(f"{name} {shown(value)} is out of range (at most {_LARGEST_NUMBER})")


def _genres(given: Sequence[str]) -> tuple[str, ...]:
    genres = tuple(dict.fromkeys(genre for text in given if (genre := text.strip())))
    if len("".join(genres)) > _SURELY_SHORT:  # which also fails for what is not a text
        for genre in genres:
            check_length("a genre", genre, MAX_NAME_BYTES)
    return genres


def _ratings(given: Sequence[Rating]) -> tuple[tuple[str, float, int | None], ...]:
    return tuple([_rating(rating, position) for position, rating in enumerate(given)])


def _rating(rating: Rating, position: int) -> tuple[str, float, int | None]:
    try:
        rating = checked(rating)
    except InvalidValue as error:
        raise InvalidValue(f"ratings[{position}].{error}") from error
    name, value, votes = rating.name.strip(), rating.value, rating.votes
    if not (name and 0 <= value <= 10 and 0 <= (votes or 0) <= _LARGEST_COUNT):
        flaw = find_flaw(rating, f"ratings[{position}].")
        raise InvalidValue(flaw or f"ratings[{position}] has no name, or {shown(votes)} votes")
    return name, round(float(value), 4) + 0.0, votes  # without the sign of -0.0


def _images(given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    _characters(given)
    return tuple(sorted((str(kind), without_secrets(str(path))) for kind, path in given.items() if path))


def _external_ids(given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    if _characters(given) > _SURELY_SHORT_PROVIDER:
        check_provider_ids("provider_ids", given.items())
    return tuple(sorted(_provider_ids(given).items()))


def _characters(texts: Mapping[str, str]) -> int:
    """Return how many characters keys and values have together.

    Raises:
        TypeError: if one of them is not a text.
    """
    return len("".join(texts)) + len("".join(texts.values()))


def _provider_ids(given: Mapping[str, str]) -> dict[str, str]:
    return {
        provider.strip().lower(): value.strip()
        for provider, value in given.items()
        if provider.strip() and value.strip()
    }


def _provider_ids_text(given: Mapping[str, str]) -> str:
    ids = _provider_ids(given)
    return provider_ids_json(ids) if ids else ""


def _flat(ids: Mapping[str, str]) -> Iterable[str]:
    return chain.from_iterable(ids.items())


def _fingerprint(texts: list[str], item: MediaItem, item_id: str) -> str:
    made = fingerprint(texts, item.change_token)
    if made is None:
        raise _unstorable(item, item_id)
    return made


def check_model(model: Described) -> Described:
    """Return a source or a library with checked values, as `mediasync.validation.checked` does.

    Raises:
        UsageError: if a value cannot be stored.
    """
    subject = f"{type(model).__name__.lower()} {shown(model.__dict__.get('id'))}"
    if flaw := find_flaw(model):
        raise UsageError(f"{subject}: {storable(flaw)}")
    model = checked(model)
    texts = {name: value for name, value in model.__dict__.items() if isinstance(value, str)}
    check_texts(subject, texts)
    if isinstance(model, Library):
        try:
            check_length("id", model.full_id, MAX_ID_BYTES)
        except InvalidValue as error:
            raise UsageError(f"{subject}: {error}") from error
    return model


def _unstorable(item: MediaItem, item_id: str) -> InvalidItem:
    item_id = item_id.encode(errors="replace").decode().replace("\0", "?")
    for where, text in _texts(item.model_dump(warnings=False), ""):
        if flaw := find_text_flaw(text):
            return InvalidItem(item_id, f"{where} {flaw}")
    return InvalidItem(item_id, "a text holds what cannot be stored")


def _texts(value: Any, where: str) -> Iterable[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield f"a key of {where}", str(name)
            yield from _texts(inner, f"{where}.{name}" if where else name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{where}[{index}]")

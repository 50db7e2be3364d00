"""The normal form: what an item is brought into before it is compared or stored.

* Names and roles are trimmed; a missing text and an empty one are the same.
* Credits are sorted by (``sort_order`` missing or negative, ``sort_order``, position), exact repeats of
  (person, type, role) are dropped and counted, and what remains is numbered 0…n-1.
* A credit whose name or type is empty is left out and reported.
* Secrets are cut out of paths and URLs.

Two fingerprints tell whether an item is what was stored: one of its own fields, one of its credits with
the people's fields. Both are a hash of the normal form's texts, joined by NUL, which no text may contain.
The same pass over the joined text finds what cannot be stored (NUL, lone surrogates).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import chain
from operator import itemgetter
from typing import Any, Final

from mediasync.errors import InvalidId, InvalidItem, UsageError
from mediasync.ids import NAME_KEY_PREFIX, derive_person_key, make_id, split_id
from mediasync.models import Credit, MediaItem, Movie, Person
from mediasync.redaction import without_secrets
from mediasync.vocabulary import Completeness, PersonType

RULE: Final = "2"
"""The version of the rule by which fingerprints are made; it stands before each of them."""

PersonRow = tuple[str, str, str, str]
"""id, name, image path or '', provider ids as JSON or ''."""

CreditRow = tuple[str, str, str, str, str, str]
"""A `PersonRow`, the person type, and the role or ''."""

TEXT_FIELDS: Final = (
    "title",
    "original_title",
    "sort_title",
    "overview",
    "tagline",
    "content_rating",
)
NUMBER_FIELDS: Final = (
    "year",
    "runtime_seconds",
    "season_number",
    "episode_number",
    "episode_number_end",
)
VALUE_COLUMNS: Final = (
    "title",
    *NUMBER_FIELDS,
    *TEXT_FIELDS[1:],
    "premiere_date",
    "path",
    "added_at",
    "added_text",
    "changed_at",
    "changed_text",
)
"""The columns of `NormalItem.values`, in its order."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_FIRST_TIME: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
_LAST_TIME: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
_LARGEST_NUMBER: Final = 2**31 - 1
_LARGEST_COUNT: Final = 2**53
_PERSON_ID: Final = itemgetter(0)
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")

# Rows hold plain strings and nothing else: a tuple of those is of no interest to the garbage collector, while
# one that holds an enum's member is looked at in every collection as long as it lives.
_PLAIN_TYPES: Final[dict[str, str]] = {member: member.value for member in PersonType}


@dataclass(slots=True)
class NormalItem:
    """An item in normal form.

    Attributes:
        id: ``{source_id}:{remote_id}``, by the source's current key. An item whose key changed is stored
            under the id that it had before.
        remote_id: the source's own key.
        parent_id: the same of the parent, if the item names one.
        parent_types: the types that the parent may be of.
        library_id: the full id of the library.
        media_type: what the item is.
        values: the columns `VALUE_COLUMNS`.
        external_ids: (provider, value), sorted.
        genres: in the source's order, without repeats.
        ratings: (name, value, votes), in the source's order.
        images: (kind, reference), sorted.
        change_token: as the source gives it.
        item_fingerprint: of all of the above but the library and the change token.
        completeness: what is known by this item of its credits; none: nothing.
        credits: in billing order; empty where nothing is known.
        credits_fingerprint: of ``credits``.
        problems: the credits that were left out, and why.
        repeats: how many exact repeats were dropped.
        stored_id: the id under which it is stored, once that is known; empty before.
    """

    id: str
    remote_id: str
    parent_id: str | None
    parent_types: frozenset[str]
    library_id: str
    media_type: str
    values: tuple[Any, ...]
    external_ids: Sequence[tuple[str, str]]
    genres: Sequence[str]
    ratings: Sequence[tuple[str, float, int | None]]
    images: Sequence[tuple[str, str]]
    change_token: str | None
    item_fingerprint: str = ""
    completeness: Completeness = Completeness.NONE
    credits: list[CreditRow] = field(default_factory=list)
    credits_fingerprint: str = ""
    problems: list[str] = field(default_factory=list)
    repeats: int = 0
    stored_id: str = ""


def normal_item(item: MediaItem, source_id: str, library_id: str) -> NormalItem:
    """Bring *item* into normal form.

    Args:
        item: what the caller gave.
        source_id: the source that it is of.
        library_id: the full id of its library.

    Raises:
        InvalidItem: if a field cannot be stored; the message names it.
    """
    try:
        return _normal_item(item, source_id, library_id)
    except UsageError:
        raise
    except (
        TypeError,
        ValueError,
        AttributeError,
        KeyError,
    ) as error:  # of a field that was assigned after the model was made
        item_id = make_id(source_id, str(item.remote_id))
        raise InvalidItem(item_id, f"a field holds what it cannot: {error}") from error


def _normal_item(item: MediaItem, source_id: str, library_id: str) -> NormalItem:
    item_id = make_id(source_id, item.remote_id)
    parent = item.__dict__.get("parent_remote_id")
    normal = NormalItem(
        id=item_id,
        remote_id=item.remote_id,
        parent_id=make_id(source_id, parent) if parent else None,
        parent_types=item.parent_types,
        library_id=library_id,
        media_type=item.media_type,
        values=_values(item, item_id),
        external_ids=sorted(_provider_ids(item.provider_ids).items()) if item.provider_ids else (),
        genres=list(dict.fromkeys(genre for text in item.genres if (genre := text.strip())))
        if item.genres
        else (),
        ratings=[
            (
                rating.name.strip(),
                round(rating.value, 4),
                _check_number(rating.votes, "votes", item_id, _LARGEST_COUNT)
                if rating.votes
                else rating.votes,
            )
            for rating in item.ratings
        ]
        if item.ratings
        else (),
        images=sorted((kind, without_secrets(path)) for kind, path in item.images.items() if path)
        if item.images
        else (),
        change_token=item.change_token or None,
    )
    normal.item_fingerprint = _fingerprint(_item_texts(normal), item, item_id)
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
        InvalidId: if *item_id* is no id.
    """
    source_id, remote_id = split_id(item_id)
    item = Movie(remote_id=remote_id, title="", credits=list(credits_given))
    normal = NormalItem(item_id, remote_id, None, frozenset(), "", "", (), (), (), (), (), None)
    _add_credits(normal, item, credits_given, source_id)
    normal.completeness = Completeness.FULL
    normal.credits_fingerprint = _fingerprint(list(chain.from_iterable(normal.credits)), item, item_id)
    return normal


def normal_person(person: Person, source_id: str | None = None) -> PersonRow:
    """Bring one person into normal form.

    Args:
        person: with an ``id``, or with a ``source_id`` (its own or the one given here).
        source_id: the source, where the person does not say it.

    Raises:
        UsageError: if the source is not known, the name is empty, or a text cannot be stored.
    """
    if person.id is not None:
        known_source, remote_id = split_id(person.id)
    else:
        given = person.source_id or source_id
        if given is None:
            raise UsageError(f"person {person.name!r}: of which source? give its id, or a source_id")
        known_source = given
        remote_id = person.remote_id or derive_person_key(person.name, _provider_ids(person.provider_ids))
    if source_id is not None and known_source != source_id:
        raise InvalidId(f"person {person.name!r} is of source {known_source!r}, not of {source_id!r}")
    name = person.name.strip()
    if not name:
        raise UsageError(f"person {make_id(known_source, remote_id)!r}: the name is empty")
    row = (
        make_id(known_source, remote_id),
        name,
        _reference(person.image_path),
        _provider_ids_text(person.provider_ids),
    )
    texts = {"remote_id": row[0], "name": row[1], "image_path": row[2]}
    check_texts(f"person {name!r}", {"provider_ids": "".join(_flat(person.provider_ids)), **texts})
    return row


def merge_people(first: PersonRow, second: PersonRow) -> PersonRow:
    """Return the person that two rows of one id make, the second being the later.

    What is missing never overwrites what is there. Of two names the later one wins, but the first spelling
    stays where the key is derived from the name.
    """
    person_id, name, image, ids = first
    if not keeps_name(person_id):
        name = second[1]
    return (person_id, name, second[2] or image, merge_provider_ids(ids, second[3]))


def merge_all(people: Iterable[PersonRow]) -> list[PersonRow]:
    """Return one row for each person, sorted by id; of one id several times, the rows are merged in turn."""
    merged: dict[str, PersonRow] = {}
    for person in people:
        known = merged.setdefault(person[0], person)
        if known is not person and known != person:
            merged[person[0]] = merge_people(known, person)
    return [merged[person_id] for person_id in sorted(merged)]


def merge_provider_ids(stored: str, given: str) -> str:
    """Return the JSON of both sets of provider ids; the given ones win."""
    if not stored or not given or stored == given:
        return given or stored
    return _canonical({**json.loads(stored), **json.loads(given)})


def keeps_name(person_id: str) -> bool:
    """Tell whether a person's key is derived from the name, so that the first spelling of it stays."""
    return person_id.partition(":")[2].startswith(NAME_KEY_PREFIX)


def _add_credits(normal: NormalItem, item: MediaItem, given: Sequence[Credit], source_id: str) -> None:
    prefix = source_id + ":"
    rows: list[CreditRow] = []
    for credit in _in_order(given):
        # The hottest loop of a sync: the models' fields are taken past the look-up of attributes.
        fields = credit.__dict__
        person = fields["person"].__dict__
        name = person["name"].strip()
        person_type = fields["person_type"]
        if not name or not person_type:
            normal.problems.append(_nameless(credit, given))
            continue
        of_source = person["source_id"]
        if of_source is not None and of_source != source_id:
            raise InvalidItem(
                normal.id, f"credit of {name!r}: the person is of source {of_source!r}, not {source_id!r}"
            )
        remote_id = person["remote_id"]
        image = person["image_path"]
        ids = person["provider_ids"]
        ids_text = ""
        if ids:
            ids_text = _provider_ids_text(ids)
            if "\\u0000" in ids_text and "\0" in "".join(_flat(ids)):  # JSON hides it from the check later
                raise _unstorable(item, normal.id)
        role = fields["role"]
        rows.append(
            (
                prefix + (remote_id or derive_person_key(name, _provider_ids(ids))),
                name,
                _reference(image) if image else "",
                ids_text,
                _PLAIN_TYPES.get(person_type) or str(PersonType.parse(person_type)),
                role.strip() if role else "",
            )
        )
    if len(set(map(_PERSON_ID, rows))) < len(rows):
        rows = _with_one_row_per_person(rows)
        unique = dict.fromkeys(rows)
        normal.repeats = len(rows) - len(unique)
        rows = list(unique)
    normal.credits = rows


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
    orders = [credit.sort_order for credit in given]
    if not orders or (None not in orders and orders[0] >= 0 and orders == sorted(orders)):  # type: ignore[operator,type-var]
        return given
    return sorted(
        given,
        key=lambda credit: (
            (1, 0) if credit.sort_order is None or credit.sort_order < 0 else (0, credit.sort_order)
        ),
    )


def _nameless(credit: Credit, given: Sequence[Credit]) -> str:
    position = next(index for index, other in enumerate(given) if other is credit)
    what = "the person's name" if not credit.person.name.strip() else "the person type"
    role = f" (role {credit.role.strip()!r})" if credit.role and credit.role.strip() else ""
    return f"credit {position}{role}: {what} is empty; the credit was left out"


def _reference(path: str | None) -> str:
    return without_secrets(path) if path and not path.isspace() else ""


def _values(item: MediaItem, item_id: str) -> tuple[Any, ...]:
    fields = item.__dict__
    numbers = [fields.get(name) for name in NUMBER_FIELDS]
    for name, number in zip(NUMBER_FIELDS, numbers, strict=True):
        if number is not None:
            _check_number(number, name, item_id, _LARGEST_NUMBER)
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
    if isinstance(value, datetime):
        time = (value - _EPOCH) // _MILLISECOND
        if not _FIRST_TIME <= time <= _LAST_TIME:
            raise ValueError(f"the time {value.isoformat()} is out of range in UTC")
        return time, None
    return None, value.strip() or None


def _check_number(value: int, name: str, item_id: str, largest: int) -> int:
    if not -largest <= value <= largest:
        raise InvalidItem(item_id, f"{name} {value} is out of range (at most {largest})")
    return value


def _provider_ids(given: Mapping[str, str]) -> dict[str, str]:
    return {
        provider.strip().lower(): value.strip()
        for provider, value in given.items()
        if provider.strip() and value.strip()
    }


def _provider_ids_text(given: Mapping[str, str]) -> str:
    ids = _provider_ids(given)
    return _canonical(ids) if ids else ""


def _flat(ids: Mapping[str, str]) -> Iterable[str]:
    return chain.from_iterable(ids.items())


def _canonical(ids: Mapping[str, str]) -> str:
    return json.dumps(ids, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _item_texts(normal: NormalItem) -> list[str]:
    texts = [normal.remote_id, normal.media_type, normal.parent_id or ""]
    texts += ["" if value is None else str(value) for value in normal.values]
    for values in (normal.external_ids, normal.genres, normal.ratings, normal.images):
        texts.append(str(len(values)))
        for value in values:
            texts += [value] if isinstance(value, str) else map(str, value)
    return texts


def _fingerprint(texts: list[str], item: MediaItem, item_id: str) -> str:
    token = item.change_token or ""
    try:
        encoded = "\0".join(texts).encode()
        token.encode()
    except UnicodeEncodeError:
        raise _unstorable(item, item_id) from None
    if encoded.count(0) != max(len(texts) - 1, 0) or "\0" in token:
        raise _unstorable(item, item_id)
    return f"{RULE}:{blake2b(encoded, digest_size=16).hexdigest()}"


def storable(text: str) -> str:
    """Return a text about an item or an error as it may be stored and shown: without what no database stores,
    and without secrets."""
    return _UNSTORABLE.sub("\ufffd", without_secrets(text))


def check_texts(subject: str, texts: Mapping[str, str | None]) -> None:
    """Raise `UsageError` if one of *texts*, which are given by their names, cannot be stored."""
    for label, text in texts.items():
        if flaw := _flaw(text or ""):
            raise UsageError(f"{subject}: {label} {flaw}")


def _flaw(text: str) -> str | None:
    if "\0" in text:
        return "holds a NUL character, which no database stores"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds half of a surrogate pair, which is no character"
    return None


def _unstorable(item: MediaItem, item_id: str) -> InvalidItem:
    item_id = item_id.encode(errors="replace").decode().replace("\0", "?")
    for where, text in _texts(item.model_dump(warnings=False), ""):
        if flaw := _flaw(text):
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

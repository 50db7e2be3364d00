"""Rows of answers, made of what the mirror returns: clean, cut, and with ids that can be passed on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from mediasync.changes import Change
from mediasync.integrations.mcp import answers
from mediasync.integrations.mcp.texts import clean, clean_or_none, shown_id, time_text, titled
from mediasync.models import Credit
from mediasync.summaries import ItemSummary, PersonSummary
from mediasync.vocabulary import ChangeKind
from mediasync.works import CastMember, FilmographyTitle

FEW: Final = 10
"""How many values a field has at most that has several."""


def shown_ids(ids: Iterable[str]) -> list[str]:
    return [shown_id(one) for one in ids]


def shown_provider_ids(ids: Mapping[str, str]) -> dict[str, str]:
    return {clean(name): clean(value) for name, value in list(ids.items())[:FEW]}


def item_fields(item: ItemSummary) -> dict[str, Any]:
    return {
        "id": shown_id(item.id),
        "type": item.media_type,
        "title": clean(item.title),
        "year": item.year,
        "show": clean_or_none(item.show_title),
        "show_id": None if item.show_id is None else shown_id(item.show_id),
        "season": item.season_number,
        "episode": item.episode_number,
        "rating": item.rating,
        "source": item.source_id,
        "added_at": time_text(item.added_at),
    }


def item_row(item: ItemSummary) -> answers.Item:
    return answers.Item(**item_fields(item))


def person_fields(person: PersonSummary) -> dict[str, Any]:
    known_for = clean_or_none(person.known_for)
    return {
        "id": shown_id(person.id),
        "name": clean(person.name),
        "source": person.source_id,
        "works": person.works,
        "first_year": person.first_year,
        "last_year": person.last_year,
        "known_for": None if known_for is None else titled(known_for, person.known_for_year),
    }


def person_row(person: PersonSummary) -> answers.Person:
    return answers.Person(**person_fields(person))


def credit_row(own: Sequence[Credit]) -> answers.Credit:
    """Return credits of one person in one title."""
    person = own[0].person
    return answers.Credit(
        name=clean(person.name),
        person_id=shown_id(person.id or ""),
        functions=list(dict.fromkeys(clean(one.person_type) for one in own))[:FEW],
        roles=list(dict.fromkeys(role for one in own if (role := clean_or_none(one.role))))[:FEW],
    )


def credits_by_person(listed: Iterable[Credit]) -> list[answers.Credit]:
    people: dict[str, list[Credit]] = {}
    for one in listed:
        people.setdefault(one.person.id or "", []).append(one)
    return list(map(credit_row, people.values()))


def member_row(member: CastMember) -> answers.Credit:
    return answers.Credit(
        name=clean(member.person.name),
        person_id=shown_id(member.person.id),
        functions=[clean(one) for one in member.person_types[:FEW]],
        roles=[clean(one) for one in member.roles[:FEW]],
        episodes=member.episodes,
        main=member.is_main,
    )


def work_row(title: FilmographyTitle) -> answers.Work:
    return answers.Work(
        id=shown_id(title.media_item_id),
        type=title.media_type,
        title=clean(title.title),
        year=title.year,
        source=title.media_item_id.partition(":")[0],
        functions=[clean(one.person_type) for one in title.functions[:FEW]],
        roles=[clean(role) for one in title.functions for role in one.roles][:FEW],
        episodes=title.episodes or None,
        first_year=title.first_year,
        last_year=title.last_year,
    )


def change_row(change: Change, names: Mapping[str, str]) -> answers.Change:
    before = change.before or {}
    was = before.get("title") or before.get("name")
    fields = sorted(before) if change.what is ChangeKind.CHANGED else []
    return answers.Change(
        number=change.number,
        at=time_text(change.at),
        what=change.what,
        entity=change.entity,
        id=shown_id(change.entity_id),
        name=names.get(change.entity_id) or clean_or_none(was),
        fields=fields,
    )

"""The people whom an option or an argument names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from mediasync.cli.errors import NotFound
from mediasync.errors import UsageError
from mediasync.library.lookup import NamedPeople, look_up_human
from mediasync.wording import short, told_apart

if TYPE_CHECKING:
    from mediasync.app import MediaSync

_CHOICE: Final = 6


async def find_one_human(ms: MediaSync, text: str, *, source_ids: Sequence[str] = ()) -> list[str]:
    """Return the ids of the one human whom a name or an id means: one for each source that knows the name.

    People of one name in different sources are taken for the same human; two in one source are not.

    Args:
        ms: an open mirror.
        text: an id, or words of a name or their beginnings.
        source_ids: only people of these sources; empty for all.

    Raises:
        NotFound: if nobody fits.
        UsageError: if several people fit; the message lists them with their ids.
    """
    named = await look_up_human(ms.people, text, source_ids=source_ids)
    if not named.people:
        where = f" in {', '.join(source_ids)}" if source_ids else ""
        raise NotFound(f"no stored person{where} is called {text!r}")
    if not named.is_one_human:
        raise UsageError(await _choice(ms, text, named))
    return [one.id for one in named.people if one.id]


async def _choice(ms: MediaSync, text: str, named: NamedPeople) -> str:
    people = named.people
    found = await ms.library.find_people([one.id for one in people if one.id])
    shown = sorted(found, key=lambda one: -one.works)[:_CHOICE]
    told = "; ".join(f"{one.id} ({short(one.name)}: {told_apart(one)})" for one in shown)
    number = f"more than {len(people):,}" if named.more else f"{len(people):,}"
    rest = " and others" if named.more or len(people) > len(shown) else ""
    return f"{text!r} fits {number} people; name one by the id: {told}{rest}"

"""Storage keys of new rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mediasync.database.session import Session


def new_keys(session: Session, ids: Sequence[str]) -> list[int]:
    """Return a storage key for each of *ids*, in their order. The keys of one source ascend.

    Raises:
        UnknownSource: if the source of one of them is not stored.
    """
    sources = [one.partition(":")[0] for one in ids]
    keys = {
        source_id: iter(session.new_keys(source_id, count)) for source_id, count in Counter(sources).items()
    }
    return [next(keys[source_id]) for source_id in sources]

"""A glance into a SQLite file, for a shell that waits while somebody types.

The engine proper takes longer to import than such an answer may take. This needs the standard library alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

_LOCKED_SECONDS: Final = 0.1
_STEPS_BETWEEN_LOOKS: Final = 100_000


def glance(file: Path, statements: Sequence[tuple[str, Mapping[str, Any]]]) -> list[tuple[Any, ...]]:
    """Return the rows of several statements, one after another.

    The file is neither created nor changed. A statement that takes too long is given up.

    Args:
        file: the database.
        statements: each with its parameters.

    Raises:
        sqlite3.Error: if the file is not a database of this schema, or cannot be read now.
    """
    url = f"file:{quote(str(file))}?mode=ro"
    with closing(sqlite3.connect(url, uri=True, timeout=_LOCKED_SECONDS)) as connection:
        looks = iter(range(_STEPS_BETWEEN_LOOKS))
        # After so many steps of SQLite's machine, some 0.1 s, the answer would come too late.
        connection.set_progress_handler(lambda: int(next(looks) > 10), _STEPS_BETWEEN_LOOKS)
        return [row for sql, values in statements for row in connection.execute(sql, values)]

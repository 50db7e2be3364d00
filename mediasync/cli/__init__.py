"""The command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Final

MISSING_EXTRA: Final = "the command line needs its extra: pip install 'mediasync[cli]'"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line, and return its exit code.

    Without the extra ``cli`` it says in one line what to install.

    Args:
        argv: the arguments; those of the process if it is not given.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        from mediasync.cli.program import run
    except ModuleNotFoundError as error:
        # The rest of the package is imported already: what is missing can only be of the extra.
        if error.name is None or error.name.partition(".")[0] == "mediasync":
            raise
        if "--json" in arguments:
            print(json.dumps({"error": {"kind": "MissingExtra", "message": MISSING_EXTRA}}))
        print(f"mediasync: {MISSING_EXTRA}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return run(arguments)

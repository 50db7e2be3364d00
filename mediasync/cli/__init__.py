"""The command line."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

# Before Ctrl-C is handled, it shows a traceback. So only what is needed now is imported here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line, and return its exit code.

    Without the extra ``cli`` it prints one line that says what to install.

    Args:
        argv: the arguments; by default those of the process.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        _end_at_sigint()
    if arguments[:2] == ["completion", "--answer"] and len(arguments) > 2:
        from mediasync.cli.completing import main as answer

        return answer(arguments[2:])
    try:
        from mediasync.cli.program import run

        return run(arguments)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "mediasync":
            raise
        return _report_missing_extra(as_json="--json" in arguments)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _report_missing_extra(*, as_json: bool) -> int:
    from mediasync.settings.distribution import install_command

    message = f"the command line needs its extra: {install_command('cli')}"
    if as_json:
        import json

        print(json.dumps({"error": {"kind": "MissingExtra", "message": message}}))
    print(f"mediasync: {message}", file=sys.stderr)
    return 2


def _end_at_sigint() -> None:
    """Make SIGINT end the process at once, except while a command's event loop runs.

    Nothing has to be cleaned up before and after that, and an exception would be shown as a traceback.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Not possible in another thread, which gets no signals.
        with suppress(ValueError):
            signal.signal(signal.SIGINT, _end)


def _end(number: int, _: FrameType | None) -> None:
    os._exit(128 + number)

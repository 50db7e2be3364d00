"""The program: how it begins and ends, and how it reports errors."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import pairwise

from mediasync.cli.errors import OutputFailed, ReaderGone, exit_code
from mediasync.cli.logs import logging_to
from mediasync.cli.output import Output
from mediasync.settings.distribution import version_text
from mediasync.settings.environment import is_debugging


def run(arguments: Sequence[str]) -> int:
    """Run the program, and return its exit code. An error is reported in one line.

    Raises:
        ModuleNotFoundError: if what the command line needs is not installed.
    """
    options = list(arguments)[: arguments.index("--")] if "--" in arguments else arguments
    out = Output(as_json="--json" in options, debug="--debug" in options or is_debugging(os.environ))
    # Set here, too, so that errors in the arguments are written in the requested format.
    out.logs_as_json = "--log-format=json" in options or ("--log-format", "json") in pairwise(options)
    try:
        with out.installed(), logging_to(out):
            code = _answering(arguments)(out)
            out.flush()
    except OutputFailed as error:
        out.abandon()
        if not isinstance(error, ReaderGone):
            out.note(str(error))
        return exit_code(error)
    return code


def _answering(arguments: Sequence[str]) -> Callable[[Output], int]:
    """Return what answers the arguments. The parser is imported only if it is needed."""
    if list(arguments) == ["--version"]:
        return _show_version
    from mediasync.cli.parser import run_command

    return lambda out: run_command(arguments, out)


def _show_version(out: Output) -> int:
    out.write(f"{version_text()}\n")
    return 0

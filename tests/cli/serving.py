"""A server in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from cli_runs import process_environment


class Served:
    """A running server.

    Attributes:
        process: the process.
        url: where it listens, without a slash at the end.
        lines: what it wrote to standard error until it listened.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self.url = ""
        assert process.stderr is not None
        for line in process.stderr:
            self.lines.append(line)
            if found := re.search(r"listening on (http://\S+)/$", line):
                self.url = found[1]
                return
        raise AssertionError(f"it does not listen: {self.lines}")

    def next_line(self) -> str:
        """The next line of standard error."""
        assert self.process.stderr is not None
        return self.process.stderr.readline()


@contextmanager
def serving(*arguments: str, environ: dict[str, str] | None = None) -> Iterator[Served]:
    """A process that serves on a free port until it is stopped."""
    with subprocess.Popen(
        [sys.executable, "-m", "mediasync", "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=process_environment() | (environ or {}),
    ) as process:
        try:
            yield Served(process)
        finally:
            process.kill()

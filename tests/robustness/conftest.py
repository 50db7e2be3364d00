"""Shared parts of the robustness tests, and the figures that they print at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from robustness_forks import ForkServer

FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def forks() -> Iterator[ForkServer]:
    """The process that forks children."""
    server = ForkServer()
    yield server
    server.close()


@pytest.fixture
def tell(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]):
    """Print a figure at the end of the run."""

    def told(name: str, text: str) -> None:
        record_property(name, text)
        request.config.stash.setdefault(FIGURES, []).append(f"{name}: {text}")

    return told


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the figures of the tests."""
    if figures := config.stash.get(FIGURES, []):
        terminalreporter.section("figures of the tests of robustness")
        for figure in figures:
            terminalreporter.line(figure)

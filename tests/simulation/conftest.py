"""How many histories are tried, and how long the model took."""

from __future__ import annotations

from typing import Final

import pytest

MODEL_STEPS: Final = "model steps"
"""The name of a property of a test: how many steps it took, and for how many seconds."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that takes a seed all seeds in turn."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(metafunc.config.getoption("simulation_seeds")))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how long the steps of the model took."""
    figures = [
        value
        for report in terminalreporter.stats.get("passed", ())
        for name, value in report.user_properties
        if name == MODEL_STEPS
    ]
    if figures:
        steps, seconds = map(sum, zip(*figures, strict=True))
        terminalreporter.line(f"the model: {steps:,} steps in {seconds:.1f} s of the tests' time")

"""Golden files: `pytest tests/report --renew` writes them anew; read the difference in review."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for report_cases

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes the golden files anew."""
    parser.addoption("--renew", action="store_true", help="write the golden files of tests/report anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Give a check that a text is what the golden file of that name holds; `.txt` is added to a bare name."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / (name if "." in name else f"{name}.txt")
        if request.config.getoption("--renew", default=False):
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path} is missing; write it with pytest tests/report --renew and read it"
        assert text == path.read_text(encoding="utf-8")

    return check

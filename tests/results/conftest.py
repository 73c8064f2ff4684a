"""Golden files: `RENEW=1 pytest tests/results` writes them anew; read the difference in review."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Give a check that a text is what the golden file of that name holds."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("RENEW"):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return check

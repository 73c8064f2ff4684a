"""Bodies copied from X's reference page of `ab_tests`, and the manifest that the page's create example amounts to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BODIES = Path(__file__).parent / "bodies"
ACCOUNT = "18ce54d4x5t"


@pytest.fixture
def body() -> Callable[[str], Any]:
    """Read one of the page's bodies by name."""
    return lambda name: json.loads((BODIES / f"{name}.json").read_text())


@pytest.fixture
def spec() -> dict[str, Any]:
    """The page's create example as a canonical spec."""
    return {
        "account_id": ACCOUNT,
        "name": "first AB test",
        "description": "documentation example",
        "entity_type": "CAMPAIGN",
        "start_time": "2022-05-25T01:00:00Z",
        "end_time": "2022-05-30T01:00:00Z",
        "user_groups": [
            {"name": "first group", "size": "50.00", "entity_ids": ["f2qcw", "f2tht"]},
            {
                "name": "second group",
                "description": "second AB test group",
                "size": "50.00",
                "entity_ids": ["f2rqi", "f2tws"],
            },
        ],
    }

"""Bodies copied from Salesforce's pages of `abn-experiments`, and the manifest that the create example amounts to."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.resource import Live
from reconciler.platforms.salesforce.kinds import KIND

BODIES = Path(__file__).parent / "bodies"


@pytest.fixture
def body() -> Callable[..., Any]:
    """Read one of the page's bodies by name, with some keys changed."""

    def read(name: str, /, **changed: Any) -> Any:
        return {**json.loads((BODIES / f"{name}.json").read_text()), **changed}

    return read


@pytest.fixture
def spec(body: Callable[..., Any]) -> dict[str, Any]:
    """The page's create example as a canonical spec, in mode Automatic (so that every limit counts)."""
    return KIND.canonical({**body("create_request"), "winnerSelectionMode": "Automatic"})


@pytest.fixture
def live(body: Callable[..., Any]) -> Callable[..., Live]:
    """The page's experiment as read, with some keys changed."""
    return lambda **changed: KIND.from_wire(copy.deepcopy(body("updated", **changed)))

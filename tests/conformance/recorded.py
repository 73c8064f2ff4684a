"""What a test run has found out, kept for `docs/reliability.md` when RELIABILITY_DIR names a folder."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

VARIABLE = "RELIABILITY_DIR"


def note(topic: str, fact: Mapping[str, Any]) -> None:
    """Append one fact to a topic's file, in one write: several test processes may do so at once."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return
    line = json.dumps(fact, sort_keys=True) + "\n"
    descriptor = os.open(Path(folder) / f"{topic}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)

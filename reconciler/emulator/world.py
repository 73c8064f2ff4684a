"""
The world that the emulated platforms share: one clock that can be moved, one body of data, one way to save it.

A platform keeps its rows in tables of this world as plain JSON values, so that the whole world can be written to one
file and read back by the next command.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]
Table: TypeAlias = dict[str, Row]


class World:
    """
    A clock and the tables of all platforms.

    `data` is one JSON object:
    `{"clockOffset": seconds, "counters": {name: int}, "tables": {platform: {table: {id: row}}}}`.
    `lock` guards every read-modify-write of a request handler; handlers hold it while they touch rows.
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        path: Path | None = None,
        real_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.data: dict[str, Any] = {"clockOffset": 0.0, "counters": {}, "tables": {}, **dict(data or {})}
        self.path = path
        self.lock = threading.RLock()
        self.job_s: float | None = None  # how long a job begun now takes, while a fault asks for that
        self.skew_s = 0.0  # how far the platforms' own clocks are off while a fault asks for that
        self._real_now = real_now
        self._saved: str | None = None

    def now(self) -> datetime:
        """Give the world's time, aware UTC: real time plus the offset by which the clock was moved."""
        return self._real_now() + timedelta(seconds=float(self.data["clockOffset"]) + self.skew_s)

    def now_ms(self) -> int:
        """Give the world's time in integer epoch milliseconds."""
        return int(self.now().timestamp() * 1000)

    def move_to(self, instant: datetime) -> None:
        """Move the clock so that it shows `instant` now; it runs on from there."""
        self.data["clockOffset"] = (instant - self._real_now()).total_seconds()

    def advance(self, span: timedelta) -> None:
        """Move the clock by `span` (may be negative)."""
        self.data["clockOffset"] = float(self.data["clockOffset"]) + span.total_seconds()

    def table(self, platform: str, name: str) -> Table:
        """Give the live, mutable table `name` of `platform`: rows by id. Missing tables are made empty."""
        tables: dict[str, dict[str, Table]] = self.data["tables"]
        return tables.setdefault(platform, {}).setdefault(name, {})

    def next_number(self, counter: str, start: int = 1) -> int:
        """Give the next number of a named counter; never the same one twice in the life of the data file."""
        counters: dict[str, int] = self.data["counters"]
        counters[counter] = counters.get(counter, start - 1) + 1
        return counters[counter]

    def save(self) -> None:
        """
        Write the world to its file, atomically.

        Does nothing where it has none, or where the file holds just that already. One line: with an indent the
        standard encoder is many times slower, and a world is saved after every write.
        """
        if self.path is None:
            return
        text = json.dumps(self.data)
        if text == self._saved:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".tmp")
        draft.unlink(missing_ok=True)  # a leftover, or a link to somewhere else
        with draft.open("x", encoding="utf-8") as stream:
            stream.write(text)
        draft.replace(self.path)
        self._saved = text


def open_world(path: Path, seed: Mapping[str, Any]) -> World:
    """
    Open the world kept at `path`, or start one there from `seed` (the shape of `World.data`).

    Raises ValueError when the file is not a world.
    """
    if path.exists():
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise ValueError(f"{path} is not an emulator data file: {error}; delete it to start afresh") from None
        if not _is_world(data):
            raise ValueError(f"{path} is not an emulator data file; delete it to start afresh")
        return World(data, path=path)
    world = World(json.loads(json.dumps(seed)), path=path)
    world.save()
    return world


def _is_world(data: object) -> bool:
    """Tell whether parsed JSON has the shape of `World.data`."""
    if not isinstance(data, dict) or not isinstance(data.get("tables"), dict):
        return False
    offset, counters = data.get("clockOffset", 0.0), data.get("counters", {})
    tables = [table for platform in data["tables"].values() for table in _values(platform)]
    rows = [row for table in tables for row in _values(table)]
    return (
        isinstance(offset, int | float)
        and isinstance(counters, dict)
        and all(isinstance(count, int) for count in counters.values())
        and all(isinstance(row, dict) for row in rows)
    )


def _values(value: object) -> list[object]:
    """Give the values of an object; one None for what is no object, which is then no row."""
    return list(value.values()) if isinstance(value, dict) else [None]

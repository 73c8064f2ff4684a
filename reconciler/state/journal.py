"""
The journal's text: one JSON line an entry, after a first line that names the state that the entries build upon.

A line counts when its line end is there: an entry is acknowledged only after that has reached the disk, so a last line
without one was cut off while being written and nobody relies on it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.model.strict_json import strict_json
from reconciler.state.formats import FORMAT_VERSION
from reconciler.state.records import WrongShape, key_from_json, record_from_json, record_to_json
from reconciler.state.store import Entry, Put, Remove


class BadLine(ValueError):
    """A complete line of the journal is not what is written here; `line` counts from 1."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


@dataclass(frozen=True)
class Journal:
    """
    A journal as read. `lineage` and `serial` name the state it builds upon; both are empty when not even the first
    line is complete. `length` is how many bytes of the file are complete lines.
    """

    lineage: str = ""
    serial: int = 0
    entries: tuple[Entry, ...] = ()
    length: int = 0


def header_line(lineage: str, serial: int) -> bytes:
    """Give the first line."""
    return _line({"formatVersion": FORMAT_VERSION, "lineage": lineage, "serial": serial})


def entry_line(entry: Entry) -> bytes:
    """Give the line of an entry; raises ValueError or TypeError for values that JSON has no form of."""
    match entry:
        case Put(key, record, event):
            return _line({"put": str(key), "event": event, "record": record_to_json(record)})
        case Remove(key, event):
            return _line({"remove": str(key), "event": event})


def read_journal(content: bytes) -> Journal:
    """Read a journal's bytes; what follows the last line end is ignored. Raises BadLine."""
    end = content.rfind(b"\n") + 1
    lines = content[:end].split(b"\n")[:-1]
    if not lines:
        return Journal()
    head = _values(lines[0], 1)
    if head.get("formatVersion") != FORMAT_VERSION:
        raise BadLine(
            1,
            f"formatVersion {head.get('formatVersion')!r} is not that of this version ({FORMAT_VERSION!r}); let the "
            "version that wrote it finish with apply, then go on with this one",
        )
    lineage, serial = head.get("lineage"), head.get("serial")
    if not isinstance(lineage, str) or not lineage or type(serial) is not int or serial < 0:
        raise BadLine(1, "it does not name the state that it builds upon")
    entries = tuple(read_entry(line, number) for number, line in enumerate(lines[1:], 2))
    return Journal(lineage, serial, entries, end)


def read_entry(line: bytes, number: int) -> Entry:
    """Read the line of one entry, which stands at a place of that number; raises BadLine."""
    return _entry(_values(line, number), number)


def _values(line: bytes, number: int) -> dict[str, Any]:
    try:
        values = strict_json(line.decode("ascii"), half_pairs=True)
    except ValueError as error:
        raise BadLine(number, f"not JSON ({error})") from None
    if not isinstance(values, dict):
        raise BadLine(number, "not an object")
    return values


def _entry(values: Mapping[str, Any], number: int) -> Entry:
    event = values.get("event", "")
    try:
        if not isinstance(event, str):
            raise WrongShape("event is not text")
        if values.keys() == {"put", "event", "record"}:
            key = key_from_json(values["put"])
            return Put(key, record_from_json(key, values["record"]), event)
        if values.keys() == {"remove", "event"}:
            return Remove(key_from_json(values["remove"]), event)
    except WrongShape as error:
        raise BadLine(number, str(error)) from None
    raise BadLine(number, "neither put nor remove")


def _line(values: Mapping[str, Any]) -> bytes:
    return _ENCODER.encode(values).encode("ascii") + b"\n"


_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)

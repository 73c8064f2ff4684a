"""The state's text: JSON that reads well in a diff. Every backend keeps the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.errors import StateUnreadable
from reconciler.model.resource import Desired, Key, Record
from reconciler.model.strict_json import strict_json
from reconciler.state import parts
from reconciler.state.formats import FORMAT_VERSION, upgrade_from
from reconciler.state.records import WrongShape, key_from_json, record_from_json, record_to_json
from reconciler.state.store import NONE_WANTED, State


def state_text(state: State) -> bytes:
    """Give the text of a state, keys sorted, in UTF-8."""
    values = {
        "formatVersion": FORMAT_VERSION,
        "lineage": state.lineage,
        "serial": state.serial,
        "experiments": {str(key): record_to_json(record) for key, record in state.experiments.items()},
    }
    try:
        return dumped(values)
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can hold and UTF-8 cannot
        return dumped(values, ascii_only=True)


def read_state(content: bytes, place: str, restore: str, wanted: Mapping[Key, Desired] = NONE_WANTED) -> State:
    """
    Read the text of a state; a record that states what its manifest in `wanted` does shares that one's spec.

    Raises StateUnreadable, which names the `place` and says with `restore` where a good one may be.
    """
    try:
        return _by_parts(content, wanted)
    except ValueError:
        pass  # it may be laid out in another way; what is wrong with it is told below
    try:
        values = strict_json(content.decode("utf-8-sig"), half_pairs=True)
        if not isinstance(values, dict):
            raise WrongShape("it is not an object")
        return _state(values, [values.get("experiments")], wanted)
    except ValueError as error:
        why = "it holds merge conflict markers" if b"\n<<<<<<< " in b"\n" + content else str(error)
        raise StateUnreadable(f"{place} is not a state file: {why}; it was left as it is: {restore}") from None


def dumped(values: Any, *, ascii_only: bool = False) -> bytes:
    """Give JSON as every file of a state has it: indented, sorted, with a line end."""
    return (json.dumps(values, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=ascii_only) + "\n").encode()


def _by_parts(content: bytes, wanted: Mapping[Key, Desired]) -> State:
    return _state(parts.frame(content), parts.parts(content), wanted)


def _state(values: dict[str, Any], groups: Iterable[Any], wanted: Mapping[Key, Desired]) -> State:
    """Give the state of a frame and its records, which come in groups."""
    upgrade = upgrade_from(values.get("formatVersion"))
    lineage, serial = values.get("lineage"), values.get("serial")
    unknown = sorted(values.keys() - {"formatVersion", "lineage", "serial", "experiments"})
    if unknown:
        raise WrongShape(f"the key {unknown[0]!r} is not known to this version")
    if not isinstance(lineage, str) or not lineage:
        raise WrongShape("lineage is not text")
    if type(serial) is not int or serial < 0:
        raise WrongShape("serial is not a whole number from 0 up")
    found: dict[Key, Record] = {}
    for records in groups:
        if not isinstance(records, dict):
            raise WrongShape("experiments is not an object")
        for key, text in [(key_from_json(text), text) for text in records]:
            if key in found:
                raise WrongShape(f"the key {text!r} stands twice in one object")
            record = record_from_json(key, records[text], upgrade, wanted.get(key))
            found[record.key] = record
    return State(lineage, serial, found)

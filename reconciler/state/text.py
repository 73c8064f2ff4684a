"""The state's text: JSON that reads well in a diff. Every backend keeps the same."""

from __future__ import annotations

import json
from typing import Any

from reconciler.errors import StateUnreadable
from reconciler.model.strict_json import strict_json
from reconciler.state.formats import FORMAT_VERSION, Upgrade, upgrade_from
from reconciler.state.records import WrongShape, key_from_json, record_from_json, record_to_json
from reconciler.state.store import State


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


def read_state(content: bytes, place: str, restore: str) -> State:
    """
    Read the text of a state.

    Raises StateUnreadable, which names the `place` and says with `restore` where a good one may be.
    """
    try:
        values = strict_json(content.decode("utf-8-sig"), half_pairs=True)
        if not isinstance(values, dict):
            raise WrongShape("it is not an object")
        return _state(values, upgrade_from(values.get("formatVersion")))
    except ValueError as error:
        why = "it holds merge conflict markers" if b"\n<<<<<<< " in b"\n" + content else str(error)
        raise StateUnreadable(f"{place} is not a state file: {why}; it was left as it is: {restore}") from None


def dumped(values: Any, *, ascii_only: bool = False) -> bytes:
    """Give JSON as every file of a state has it: indented, sorted, with a line end."""
    return (json.dumps(values, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=ascii_only) + "\n").encode()


def _state(values: dict[str, Any], upgrade: Upgrade) -> State:
    lineage, serial, records = values.get("lineage"), values.get("serial"), values.get("experiments")
    unknown = sorted(values.keys() - {"formatVersion", "lineage", "serial", "experiments"})
    if unknown:
        raise WrongShape(f"the key {unknown[0]!r} is not known to this version")
    if not isinstance(lineage, str) or not lineage:
        raise WrongShape("lineage is not text")
    if type(serial) is not int or serial < 0:
        raise WrongShape("serial is not a whole number from 0 up")
    if not isinstance(records, dict):
        raise WrongShape("experiments is not an object")
    keys = {text: key_from_json(text) for text in records}
    return State(lineage, serial, {key: record_from_json(key, records[text], upgrade) for text, key in keys.items()})

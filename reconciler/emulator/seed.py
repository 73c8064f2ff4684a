"""What a fresh world holds: the platforms' own default tables, or those of a seed file over them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reconciler.emulator import linkedin, salesforce, x_ads
from reconciler.emulator.control import parse_instant
from reconciler.emulator.errors import BadSeed

PLATFORMS = {"linkedin": linkedin, "x-ads": x_ads, "salesforce": salesforce}


def default_seed(now: datetime | None = None) -> dict[str, Any]:
    """
    Give the data of a fresh world (the shape of `World.data`) with the default tables of all three platforms.

    With `now` (aware) the world's clock shows that time at first; without it, real time.
    """
    tables = {name: copy.deepcopy(module.seed()) for name, module in PLATFORMS.items()}
    return {"clockOffset": _offset(now), "counters": {}, "tables": tables}


def seed_from(mapping: object) -> dict[str, Any]:
    """
    Give the data of a world as a seed file asks for it.

    The file's parsed text is `{clock: ISO time, linkedin: {table: {id: row}}, x-ads: …, salesforce: …}`, every key
    optional; a table that it names takes the place of the default one, the others stay. Raises BadSeed (a ValueError).
    """
    if not isinstance(mapping, Mapping):
        raise BadSeed(f"seed: a mapping is expected, found {type(mapping).__name__}")
    known = ("clock", *PLATFORMS)
    for key in mapping:
        if key not in known:
            raise BadSeed(f"seed: unknown key {key!r}; known are {', '.join(known)}")
    data = default_seed(_clock(mapping.get("clock")))
    for platform in PLATFORMS:
        for table, rows in _tables(mapping.get(platform), platform).items():
            data["tables"][platform][table] = rows
    return data


def _clock(value: object) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, datetime):  # YAML reads an unquoted time as one; PyYAML gives UTC without an offset
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        return parse_instant(value)
    except ValueError as error:
        raise BadSeed(f"seed.clock: {error}") from None


def _tables(value: object, platform: str) -> dict[str, dict[str, dict[str, Any]]]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise BadSeed(f"seed.{platform}: a mapping of tables is expected, found {type(value).__name__}")
    tables: dict[str, dict[str, dict[str, Any]]] = {}
    for table, rows in value.items():
        place = f"seed.{platform}.{table}"
        if rows is None:
            rows = {}
        if not isinstance(rows, Mapping):
            raise BadSeed(f"{place}: a mapping of rows by id is expected, found {type(rows).__name__}")
        for key, row in rows.items():
            if not isinstance(row, Mapping):
                raise BadSeed(f"{place}.{key}: a mapping of fields is expected, found {type(row).__name__}")
        tables[str(table)] = {str(key): copy.deepcopy(dict(row)) for key, row in rows.items()}
    return tables


def _offset(now: datetime | None) -> float:
    return 0.0 if now is None else (now - datetime.now(UTC)).total_seconds()

"""
A large state's text in parts: some records at a time are JSON values, and never the whole.

The text that `text.state_text` writes is cut between records: JSON has no line end inside of its texts, so a line end
and the indentation of a record's last brace stand nowhere else. Each part is then read as strictly as the whole would
be, between the braces that stand around it. A text of any other layout, or with anything wrong in it, is not read
here: whoever reads it whole says what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.model.strict_json import strict_json

_BEGIN = b'{\n  "experiments": {\n'
_NEXT = b"\n    },\n"
_END = b"\n    }\n  },\n"
_PART = 64 * 1024
"""Bytes from which on a part ends with the next record: keys that repeat are one text within a part."""


class OtherLayout(ValueError):
    """A text is not laid out as a state is written here."""


def frame(content: bytes) -> dict[str, Any]:
    """Give a state's values without its records; raises ValueError, as `parts` does."""
    values = _read(_BEGIN + content[_end(content) + len(_END) - len(b"  },\n") :])
    if not isinstance(values, dict) or values.get("experiments") != {}:
        raise OtherLayout
    return values


def parts(content: bytes) -> Iterator[dict[str, Any]]:
    """Give the records' values by key, part by part; raises ValueError for a text that has to be read whole."""
    end = _end(content)
    at = len(_BEGIN)
    while at < end:
        cut = content.find(_NEXT, at + _PART, end)
        stop = cut if cut >= 0 else end
        values = _read(_BEGIN + content[at:stop] + b"\n    }\n  }\n}")
        if len(values) != 1:
            raise OtherLayout
        yield values["experiments"]
        at = stop + len(_NEXT)
        if cut >= 0 and at >= end:  # a comma, and no record after it
            raise OtherLayout


def _end(content: bytes) -> int:
    """Give where the last record's last brace is."""
    end = content.rfind(_END)
    if not content.startswith(_BEGIN) or end < len(_BEGIN):
        raise OtherLayout
    return end


def _read(part: bytes) -> Any:
    return strict_json(part.decode(), half_pairs=True)

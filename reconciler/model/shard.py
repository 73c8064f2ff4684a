"""A part of a project: the i-th of n, by which the work of a plan, a drift run or an apply is split."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MOST = 10_000
"""Shards of one project."""
_FORM = re.compile(r"([0-9]{1,5})/([0-9]{1,5})")


@dataclass(frozen=True)
class Shard:
    """
    The `index`-th of `count` parts, from 1.

    In a plan it carries `evidence`: what was read, and what the plan was made from, as JSON values; the whole plan is
    made from that of all shards.
    """

    index: int
    count: int
    evidence: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read `i/n`; raises ValueError unless 1 <= i <= n <= 10,000."""
        found = _FORM.fullmatch(text)
        index, count = (int(found.group(1)), int(found.group(2))) if found else (0, 0)
        if not 1 <= index <= count <= MOST:
            raise ValueError(f"{text!r} is no shard; it is i/n with i from 1 to n, n at most {MOST:,}, such as 2/5")
        return cls(index, count)

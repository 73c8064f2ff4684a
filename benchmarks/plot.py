"""A plot of time and memory against the number of experiments, on logarithmic axes, as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from measure import middle

WIDTH, HEIGHT, LEFT, TOP, GAP = 440, 300, 60, 40, 90
SERIES = (
    ("plan cold", "plan, nothing kept", "#1f6feb"),
    ("plan warm", "plan, unchanged", "#1a7f37"),
    ("validate cold", "validate, nothing kept", "#8250df"),
    ("plan floor", "parse and wire floor", "#57606a"),
    ("octodns", "octoDNS", "#cf222e"),
)


def plotted(by_count: Mapping[int, Mapping[str, Any]]) -> str:
    """Give the plot: wall time on the left, peak memory on the right."""
    width = 2 * (WIDTH + GAP) + LEFT
    height = HEIGHT + TOP + 50 + 20 * len(SERIES)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12" role="img" aria-label="Time and memory against the number of experiments">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for column, (key, title, scale) in enumerate(
        (("wall", "wall time, seconds", 1.0), ("peak", "peak memory, MB", 1e-6))
    ):
        lines = {
            name: [
                (count, value * scale)
                for count, found in by_count.items()
                if (value := middle(found["rows"], name, key)) is not None
            ]
            for name, _, _ in SERIES
        }
        parts += _panel(LEFT + column * (WIDTH + GAP), title, lines)
    for index, (_, label, colour) in enumerate(SERIES):
        y = TOP + HEIGHT + 50 + 20 * index
        parts.append(f'<line x1="{LEFT}" x2="{LEFT + 30}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{LEFT + 38}" y="{y + 4}" fill="#24292f">{label}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(left: int, title: str, lines: Mapping[str, Sequence[tuple[int, float]]]) -> list[str]:
    points = [point for line in lines.values() for point in line]
    if not points:
        return []
    first, last = (math.log10(pick(count for count, _ in points)) for pick in (min, max))
    low = math.floor(math.log10(min(value for _, value in points)))
    high = math.ceil(math.log10(max(value for _, value in points)))
    last = max(last, first + 1)

    def x(count: float) -> float:
        return left + (math.log10(count) - first) / (last - first) * WIDTH

    def y(value: float) -> float:
        return TOP + HEIGHT - (math.log10(value) - low) / (high - low) * HEIGHT

    parts = [f'<text x="{left}" y="{TOP - 14}" font-weight="bold" fill="#24292f">{title}</text>']
    for power in range(low, high + 1):
        at = y(10.0**power)
        parts.append(f'<line x1="{left}" x2="{left + WIDTH}" y1="{at:.1f}" y2="{at:.1f}" stroke="#d0d7de"/>')
        parts.append(f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end" fill="#57606a">{10.0**power:g}</text>')
    for count in sorted({count for count, _ in points}):
        at = x(count)
        parts.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{TOP + HEIGHT}" stroke="#d0d7de"/>')
        parts.append(f'<text x="{at:.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle" fill="#57606a">{count:,}</text>')
    for name, _, colour in SERIES:
        line = lines[name]
        path = " ".join(f"{x(count):.1f},{y(value):.1f}" for count, value in line)
        if len(line) > 1:
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x(count):.1f}" cy="{y(value):.1f}" r="3" fill="{colour}"/>' for count, value in line]
    return parts

"""docs/formats.md: its snippets are what the formats print, its table is what the benchmark writes."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"<!-- from (\S+) -->\n```\w+\n(.*?)\n```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("file", "snippet"), SNIPPETS, ids=[Path(file).name for file, _ in SNIPPETS])
def test_a_snippet_is_what_the_format_prints(file: str, snippet: str) -> None:
    whole = (ROOT / file).read_text(encoding="utf-8")
    place = 0
    for piece in snippet.split("\n…\n"):
        found = whole.find(piece, place)
        assert found >= 0, piece
        place = found + len(piece)


def test_every_format_of_the_commands_stands_in_the_table() -> None:
    import click

    from reconciler.cli.main import cli

    rows = dict(re.findall(r"(?m)^\| `(\w+)` \| ([^|]+) \|", PAGE))
    for name in ("plan", "drift", "validate", "apply"):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        (option,) = [item for item in command.params if "--format" in item.opts]
        assert isinstance(option.type, click.Choice)
        assert {form for form, of in rows.items() if f"`{name}`" in of} == set(option.type.choices), name


def test_the_benchmark_measures_every_format_and_writes_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
    render = import_module("render")
    rows = render.measured(20, 1)
    forms = set(re.findall(r"(?m)^\| (plan|drift) \| (\w+) \| [\d,]+ kB \| [\d.]+ \|$", PAGE))
    assert {(what, form) for what, form, _, _ in rows} == forms
    assert all(size > 1_000 and took > 0 for _, _, size, took in rows)
    page = render.written(PAGE, render.table(rows, 20))
    assert "A plan of 20 changes" in page and page.partition("## Size")[0] == PAGE.partition("## Size")[0]
    with pytest.raises(ValueError, match="to write between"):
        render.written("nothing", [])

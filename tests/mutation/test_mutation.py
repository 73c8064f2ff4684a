"""The tools of mutation testing: which changes are made, which are counted, how the sample is drawn."""

from __future__ import annotations

import ast
from pathlib import Path

import function_changes
import mutation
import pytest
import table_changes

X_FACTS = "reconciler/platforms/x_ads/facts.py"


def test_every_module_and_test_that_is_named_is_there() -> None:
    assert all((function_changes.ROOT / name).is_file() for name in mutation.modules())
    for platform in ("linkedin", "x_ads", "salesforce"):
        named = mutation.tests_of([platform])
        assert len(named) >= 4 and all((function_changes.ROOT / name).exists() for name in named)
        assert "tests/platforms/test_rule_tables.py" in named, "it holds what the rules of every platform list"
        assert any(name.endswith("_client.py") for name in named), "it holds how many ids go into one request"


def test_a_sample_is_even_and_the_same_each_time() -> None:
    found = {"large": list(range(100)), "small": [1, 2], "none": [], "middle": list(range(30))}
    chosen = mutation.sampled(found, 21, seed=5)
    assert {name: len(items) for name, items in chosen.items()} == {"large": 10, "middle": 9, "small": 2}
    assert all(len(set(items)) == len(items) and set(items) <= set(found[name]) for name, items in chosen.items())
    assert chosen == mutation.sampled(found, 21, seed=5) != mutation.sampled(found, 21, seed=6)
    assert mutation.sampled({"small": [1, 2]}, 10, seed=5)["small"] in ([1, 2], [2, 1]), "no more than there are"


@pytest.mark.parametrize(
    ("what", "count"), [("IN_PLACE is REPLACE", 3), ("no CAMPAIGN", 0), ("_UNTIL_THE_END is _NEVER_IN_PLACE", 1)]
)
def test_tables_are_changed_by_verdict_and_by_row(what: str, count: int) -> None:
    assert sum(one.what == what for one in table_changes.mutants(X_FACTS)) == count


def test_no_sentence_of_a_table_is_changed() -> None:
    texts = [one.what.partition("' is ")[0] for one in table_changes.mutants(X_FACTS) if one.what.startswith("'")]
    assert "'user_groups[].entity_ids" in texts
    assert not [text for text in texts if " " in text]


@pytest.mark.parametrize(("kept", "lives"), [("1024", True), ("255", False)])
def test_a_change_lives_when_no_test_notices_it(tmp_path: Path, kept: str, lives: bool) -> None:
    """One test looks at the figure that is changed, the other at another one."""
    change = next(one for one in table_changes.mutants(X_FACTS) if one.what == "255 is 256")
    name = {"1024": "DESCRIPTION_LENGTH", "255": "NAME_LENGTH"}[kept]
    test = tmp_path / "test_it.py"
    reads = f"    from reconciler.platforms.x_ads.facts import {name}\n    assert str({name}) == '{kept}'\n"
    test.write_text(f"def test_it():\n{reads}")
    assert table_changes.survives(change, [str(test)]) is lives


@pytest.mark.parametrize(
    ("before", "after", "wording"),
    [
        ('return "a word"', 'return "XXa wordXX"', True),
        ('return "word"', 'return "WORD"', False),
        ('raise E(f"no {x} here")', 'raise E(f"XXno {x} hereXX")', True),
        ("return 1", "return 2", False),
        ("return a < b", "return a <= b", False),
        ("return a and b", "return a or b", False),
        ('return f("a b", c)', "return f(None, c)", False),
        ('return f("a b", c)', 'return f("a b", None)', False),
        ("return a", "return b", False),
        ("return a.b", "return a.c", False),
        ("return not a", "return a", False),
        ("return True", "return False", False),
    ],
)
def test_changes_of_sentences_alone_are_known(before: str, after: str, wording: bool) -> None:
    tree = ast.parse(f"def x_f__mutmut_orig():\n    {before}\ndef x_f__mutmut_1():\n    {after}\n")
    bodies = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert function_changes._is_wording("x_f__mutmut_1", bodies) is wording

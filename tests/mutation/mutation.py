"""
Mutation testing of planning and the rule tables: changes made on purpose, and whether the fast unit tests notice.

    python tests/mutation/mutation.py --sample 240 --seed 20261125 --record FOLDER [--only WORD]

Of all changes that can be made a sample is tried, the same for the same seed and code, as even over the modules as
their sizes allow. `FOLDER/mutation.jsonl` has the counts for `docs/reliability.md`, `FOLDER/survivors.txt` what no test
noticed. 240 take about ten minutes on two processors that have nothing else to do.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import compress
from pathlib import Path
from typing import TypeVar

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

import function_changes  # noqa: E402
import table_changes  # noqa: E402

ROOT = function_changes.ROOT
_OF_PLATFORMS = {
    "linkedin": ("clock", "overlaps", "rules", "transitions", "fields", "facts"),
    "x_ads": ("clock", "groups", "rules", "facts"),
    "salesforce": ("check_cohorts", "checks", "judge", "lifecycle", "table", "facts"),
}
_SHORT = {"linkedin": "linkedin", "x_ads": "xads", "salesforce": "sfp"}
_SUBJECTS = ("kind", "clock", "groups", "rules", "table", "wire", "judge", "schema", "client")
_OF_ALL_PLATFORMS = "tests/platforms/test_rule_tables.py"
_AT_RANDOM = ("test_plan_properties", "test_plan_saved")
_FOR_FUNCTIONS = (
    *(f"tests/plan/{name}.py" for name in _AT_RANDOM),
    "tests/security/test_sec_plan_file.py",
    "tests/security/test_sec_plan_signature.py",
    "tests/report/test_timeline.py",
    "tests/report/test_html.py",
)

T = TypeVar("T")


def modules() -> list[str]:
    """Give the modules that are changed: all of planning, and the rules and tables of each platform."""
    plan = sorted((ROOT / "reconciler/plan").glob("[a-z]*.py"))
    rules = [
        ROOT / "reconciler/platforms" / name / f"{one}.py" for name, these in _OF_PLATFORMS.items() for one in these
    ]
    return [path.relative_to(ROOT).as_posix() for path in (*plan, *rules)]


def tests_of(platforms: Sequence[str]) -> list[str]:
    """Give the unit tests of platforms, and those of planning that are not drawn at random."""
    folder = ROOT / "tests/platforms"
    files = [folder / name / f"test_{_SHORT[name]}_{subject}.py" for name in platforms for subject in _SUBJECTS]
    plan = [path for path in sorted((ROOT / "tests/plan").glob("test_*.py")) if path.stem not in _AT_RANDOM]
    every = (*files, ROOT / _OF_ALL_PLATFORMS, *plan)
    return [path.relative_to(ROOT).as_posix() for path in every if path.is_file()]


def sampled(found: Mapping[str, Sequence[T]], size: int, seed: int) -> dict[str, list[T]]:
    """Give `size` of what was found, one after the other from each module that has some left."""
    draw = random.Random(seed)
    mixed = {name: draw.sample(list(items), len(items)) for name, items in sorted(found.items())}
    taken: dict[str, int] = dict.fromkeys(mixed, 0)
    left = size
    while left > 0 and (open_ := [name for name in mixed if taken[name] < len(mixed[name])]):
        for name in open_[:left]:
            taken[name] += 1
        left -= len(open_[:left])
    return {name: items[: taken[name]] for name, items in mixed.items() if taken[name]}


def fact(module: str, what: str, possible: int, tried: int, survived: int) -> dict[str, str | int]:
    """Give the counts of a module as a line for the page."""
    short = module.removeprefix("reconciler/").removeprefix("platforms/")
    counts = {"possible": possible, "tried": tried, "noticed": tried - survived, "survived": survived}
    return {"module": short, "changes in": what, **counts}


def main() -> None:
    """Try a sample in functions and one in tables, three parts to one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=240, help="changes tried")
    parser.add_argument("--seed", type=int, default=20261125)
    parser.add_argument("--record", type=Path, default=Path(".venv/mutation"))
    parser.add_argument("--only", default="", help="only modules with this in their path")
    chosen = parser.parse_args()
    chosen.record.mkdir(parents=True, exist_ok=True)
    names = [name for name in modules() if chosen.only in name]
    facts, told = _tables(names, chosen.sample // 4, chosen.seed)
    more, others = _functions(names, chosen.sample - chosen.sample // 4, chosen.seed, chosen.record / "project")
    lines = [json.dumps({**line, "seed": str(chosen.seed)}) for line in (*more, *facts)]
    (chosen.record / "mutation.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (chosen.record / "survivors.txt").write_text("\n".join([*told, *others]) + "\n", encoding="utf-8")
    tried, noticed = (sum(int(line[key]) for line in (*facts, *more)) for key in ("tried", "noticed"))
    sys.stdout.write(f"{noticed} of {tried} changes were noticed; the others are in {chosen.record}/survivors.txt\n")


_Result = tuple[list[dict[str, str | int]], list[str]]


def _tables(names: Sequence[str], size: int, seed: int) -> _Result:
    found = {name: table_changes.mutants(name) for name in names if "/platforms/" in name}
    chosen = sampled(found, size, seed)
    facts, told = [], []
    with ThreadPoolExecutor(2) as pool:
        for module, ones in chosen.items():
            try_one = partial(table_changes.survives, tests=tests_of([module.split("/")[2]]))
            live = list(compress(ones, pool.map(try_one, ones)))
            facts.append(fact(module, "tables", len(found[module]), len(ones), len(live)))
            told += [f"{one.module}:{one.line}: {one.what}" for one in live]
    return facts, told


def _functions(names: Sequence[str], size: int, seed: int, copy: Path) -> _Result:
    function_changes.copy_project(copy, names, [*tests_of(list(_OF_PLATFORMS)), *_FOR_FUNCTIONS])
    found = function_changes.made(copy, names)
    chosen = sampled(found, size, seed)
    left = function_changes.survivors(copy, chosen)
    facts = [fact(name, "functions", len(found[name]), len(ones), len(left[name])) for name, ones in chosen.items()]
    return facts, [function_changes.shown(copy, one) for ones in left.values() for one in ones]


if __name__ == "__main__":
    main()

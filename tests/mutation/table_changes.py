"""
Changes in the rule tables: the data of a module, which neither mutmut nor cosmic-ray changes.

An entry is dropped, a word misspelt, a number raised, a flag turned, a verdict or a row of cells exchanged for the next
one. Sentences and sources are left alone. Each change is compiled from the syntax tree and imported in place of the
module, in a process of its own; nothing is written to disk.
"""

from __future__ import annotations

import ast
import importlib
import importlib.abc
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]
_VERDICTS = ("IN_PLACE", "REPLACE", "NEVER")
_SECONDS = 120


@dataclass(frozen=True)
class Mutant:
    """A change by its number in its module; the line it stands on, and what it does."""

    module: str
    number: int
    line: int = 0
    what: str = ""


def mutants(module: str) -> list[Mutant]:
    """Give every change that can be made to a module's data."""
    tree = ast.parse((ROOT / module).read_text("utf-8"))
    return [Mutant(module, number, line, what) for number, (line, what, _) in enumerate(_changes(tree, _rows(module)))]


def code_of(mutant: Mutant) -> CodeType:
    """Give a changed module, compiled."""
    path = ROOT / mutant.module
    tree = ast.parse(path.read_text("utf-8"))
    for number, (_, _, change) in enumerate(_changes(tree, _rows(mutant.module))):
        if number == mutant.number:
            change()
            return compile(ast.fix_missing_locations(tree), str(path), "exec", dont_inherit=True)
    raise IndexError(mutant)


def _rows(module: str) -> dict[str, list[str]]:
    """Give for each name of a row of cells (or of one cell) the names that stand for another one."""
    from reconciler.model.kind import Cell

    loaded = importlib.import_module(module.removesuffix(".py").replace("/", "."))
    shapes: dict[str, Any] = {}
    for name, value in vars(loaded).items():
        if isinstance(value, Cell):
            shapes[name] = value.verdict
        elif isinstance(value, dict) and value and all(isinstance(cell, Cell) for cell in value.values()):
            shapes[name] = {key: cell.verdict for key, cell in value.items()}
    return {
        name: [other for other, its in shapes.items() if type(its) is type(shape) and its != shape]
        for name, shape in shapes.items()
    }


def made_on_import(tree: ast.Module) -> frozenset[str]:
    """Give the functions of a module that make its data: mutmut cannot change those, as it sets in after the import."""
    bodies = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    found: set[str] = set()
    queue: list[ast.AST] = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)]
    while queue:
        for node in ast.walk(queue.pop()):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in bodies.keys() - found:
                found.add(node.func.id)
                queue.append(bodies[node.func.id])
    return frozenset(found)


def _changes(tree: ast.Module, rows: dict[str, list[str]]) -> Iterator[tuple[int, str, Any]]:
    makers = made_on_import(tree)
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name()], value=value) | ast.AnnAssign(value=ast.expr() as value):
                yield from _of(value, rows)
            case ast.FunctionDef(name=name, body=body) if name in makers:
                for line in body:
                    yield from _of(line, rows)


def _of(node: ast.AST, rows: dict[str, list[str]]) -> Iterator[tuple[int, str, Any]]:
    """Give the line, the words and the doing of every change at a node and below it."""
    line = getattr(node, "lineno", 0)
    match node:
        case ast.Attribute(attr=attr) if attr in _VERDICTS:
            other = _VERDICTS[(_VERDICTS.index(attr) + 1) % 3]
            yield line, f"{attr} is {other}", lambda: setattr(node, "attr", other)
        case ast.Constant(value=bool() as value):
            yield line, f"{value} is {not value}", lambda: setattr(node, "value", not value)
        case ast.Constant(value=int() as value):
            yield line, f"{value} is {value + 1}", lambda: setattr(node, "value", value + 1)
        case ast.Constant(value=str() as value) if value and not {" ", "/"} & set(value):
            more = "1" if value[-1].isdigit() else "x"
            yield line, f"{value!r} is {value + more!r}", lambda: setattr(node, "value", value + more)
        case ast.Name(id=name, ctx=ast.Load()) if rows.get(name):
            yield line, f"{name} is {rows[name][0]}", lambda: setattr(node, "id", rows[name][0])
        case ast.Dict(keys=keys, values=values) if len(keys) > 1:
            for at, key in enumerate(keys):
                yield line, f"no {ast.unparse(key) if key else '**'}", lambda at=at: (keys.pop(at), values.pop(at))
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items) if len(items) > 1:
            for at, item in enumerate(items):
                yield line, f"no {ast.unparse(item)[:40]}", lambda at=at: items.pop(at)
    for child in _below(node):
        yield from _of(child, rows)


def _below(node: ast.AST) -> Iterator[ast.AST]:
    """Give the parts of a node that hold data: no types, no texts put together, of a field no words but its path."""
    match node:
        case ast.Subscript() | ast.JoinedStr():
            return
        case ast.Call(func=ast.Name(id="Field" | "_row"), args=args, keywords=keywords):
            yield from [arg for at, arg in enumerate(args) if not at or not isinstance(arg, ast.Constant)]
            yield from [keyword.value for keyword in keywords if keyword.arg != "limits"]
        case _:
            yield from ast.iter_child_nodes(node)


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from changed code."""

    def __init__(self, module: str, code: CodeType) -> None:
        self.name = module.removesuffix(".py").replace("/", ".")
        self.code = code

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.code.co_filename, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, vars(module))


def survives(mutant: Mutant, tests: Sequence[str]) -> bool:
    """Tell whether no test notices a change; taking too long is noticed."""
    words = [sys.executable, __file__, mutant.module, str(mutant.number), *tests]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        ran = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    if ran.returncode not in (0, 1, 2, 3, 4):  # 2 to 4: pytest could not even collect
        sys.exit(f"{mutant} was not tried: {ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    return ran.returncode == 0


def main(module: str, number: int, tests: Sequence[str]) -> int:
    """Run tests on one change in this process."""
    import pytest

    code = code_of(Mutant(module, number))
    for name in [name for name in sys.modules if name.partition(".")[0] == "reconciler"]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Changed(module, code))
    return pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=ci", *tests])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))

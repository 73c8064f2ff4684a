"""
One expression, compiled: Jinja's sandbox behind a list of what an expression may consist of.

The list comes first and is short: names, literals, operators, lookups, a handful of filters and tests, calls of the
helpers alone. There are no loops, so an expression's cost is bounded by its length and by the bounds in `functions.py`.
The sandbox is the second fence. Only this module and `functions.py` import Jinja.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.environment import TemplateExpression
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from reconciler.manifests.template.dates import HELPERS, Day, Moment, Span, Wrong, attribute
from reconciler.manifests.template.functions import FILTERS, TESTS, combined, joined, negative
from reconciler.manifests.template.scope import CHANGING
from reconciler.manifests.words import nearest, plain

DEEPEST = 25
"""Operators, calls and collections inside each other."""

_ALLOWED = (
    nodes.Name,
    nodes.Const,
    nodes.List,
    nodes.Tuple,
    nodes.Dict,
    nodes.Pair,
    nodes.Keyword,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Slice,
    nodes.Filter,
    nodes.Test,
    nodes.Call,
    nodes.Not,
    nodes.Neg,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
    nodes.And,
    nodes.Or,
    nodes.Compare,
    nodes.Operand,
    nodes.CondExpr,
    nodes.Concat,
)
_NO_NAMES = frozenset({"self", "super", "caller", "loop", "varargs", "kwargs", "joined_"})


class NotThere(UndefinedError):
    """A name, or a part of a value, that is not there; `owner` is the value, None for a name."""

    def __init__(self, owner: Any, name: Any, message: str | None = None) -> None:
        super().__init__(message)
        self.owner = owner
        self.name = name


class _Missing(StrictUndefined):
    def __init__(self, hint: str | None = None, obj: Any = None, name: Any = None, exc: Any = None) -> None:
        super().__init__(hint, obj, name, partial(NotThere, obj, name))  # type: ignore[arg-type]


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset({"+", "-"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        return combined(operator, left, right)

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        return negative(arg)

    def getattr(self, obj: Any, attribute_name: str) -> Any:
        return self.getitem(obj, attribute_name)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Look into mappings by key, lists and text by position, dates by the names they have: nothing of Python's."""
        if isinstance(obj, StrictUndefined):
            str(obj)  # raises
        if isinstance(obj, dict):
            return obj[argument] if isinstance(argument, str) and argument in obj else _Missing(None, obj, argument)
        if isinstance(obj, list | tuple | str) and type(argument) is int:
            return obj[argument] if -len(obj) <= argument < len(obj) else _Missing(None, obj, argument)
        if isinstance(obj, Span | Day | Moment) and isinstance(argument, str):
            return attribute(obj, argument)
        return _Missing(None, obj, argument)

    def is_safe_callable(self, obj: Any) -> bool:
        return obj in _CALLABLE


_CALLABLE = frozenset({*HELPERS.values(), joined})


def _environment() -> _Environment:
    environment = _Environment(undefined=_Missing, autoescape=False, cache_size=0)
    environment.globals = {**HELPERS, "joined_": joined}
    environment.filters = dict(FILTERS)
    environment.tests = dict(TESTS)
    return environment


_ENVIRONMENT = _environment()


@dataclass(frozen=True)
class Compiled:
    """An expression ready to be evaluated; `names` are those it speaks of, helpers left out."""

    names: frozenset[str]
    evaluate: Callable[[Mapping[str, Any]], Any]


def compiled(text: str) -> Compiled:
    """Read an expression; raises Wrong for one that does not parse or holds what is not used here."""
    try:
        parser = Parser(_ENVIRONMENT, text, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise Wrong(f'"{plain(str(parser.stream.current.value))}" is too much there')
        for problem in _problems(tree, 0):
            raise problem
        names = frozenset(node.name for node in [tree, *tree.find_all(nodes.Name)] if isinstance(node, nodes.Name))
        rewritten = _Concat().visit(tree)
        rewritten.set_environment(_ENVIRONMENT)
        body: list[nodes.Node] = [nodes.Assign(nodes.Name("result", "store"), rewritten, lineno=1)]
        template = _ENVIRONMENT.from_string(nodes.Template(body, lineno=1))
    except TemplateSyntaxError as error:
        raise Wrong(plain(str(error.message or "it cannot be read"), 200)) from None
    except (RecursionError, MemoryError):
        raise Wrong("it is nested too deep", "put a part of it into a variable") from None
    except (SyntaxError, ValueError, OverflowError, TemplateError) as error:
        if isinstance(error, Wrong):
            raise
        raise Wrong(f"it cannot be read: {plain(str(error), 200)}") from None
    run = TemplateExpression(template, undefined_to_none=False)
    return Compiled(names - HELPERS.keys(), lambda known: run(**known))


class _Concat(NodeTransformer):
    """`a ~ b` as a call of our own, which knows dates and has a bound."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return nodes.Call(nodes.Name("joined_", "load"), node.nodes, [], None, None, lineno=node.lineno)


def _problems(node: nodes.Node, depth: int) -> Iterator[Wrong]:
    """Give what an expression holds that it must not."""
    if depth > DEEPEST:
        yield Wrong("it is nested too deep", "put a part of it into a variable")
        return
    match node:
        case nodes.Name() if node.name in _NO_NAMES or node.name.startswith("_"):
            yield Wrong(f'there is no variable "{plain(node.name)}"')
        case nodes.Getattr() if node.attr.startswith("_"):
            yield Wrong(f'"{plain(node.attr)}" cannot be looked up')
        case nodes.Pow():
            yield Wrong("** is not used here", "multiply, or write the number")
        case nodes.CondExpr() if node.expr2 is None:
            yield Wrong("an if without an else", "say what the value is otherwise: a if b else c")
        case nodes.Filter():
            yield from _known(node, node.name, FILTERS, "filter")
        case nodes.Test():
            yield from _known(node, node.name, TESTS, "test")
        case nodes.Call():
            called = node.node
            name = (
                called.name
                if isinstance(called, nodes.Name)
                else called.attr
                if isinstance(called, nodes.Getattr)
                else ""
            )
            if not isinstance(called, nodes.Name) or called.name not in HELPERS:
                yield _not_called(name)
            if node.dyn_args is not None or node.dyn_kwargs is not None:
                yield Wrong("* and ** are not used in calls")
        case _ if not isinstance(node, _ALLOWED):
            yield Wrong(f"{type(node).__name__} is not used here")
    for child in node.iter_child_nodes():
        yield from _problems(child, depth + 1)


def _known(node: nodes.Filter | nodes.Test, name: str, known: Mapping[str, Any], what: str) -> Iterator[Wrong]:
    if name in CHANGING:
        yield Wrong(f'there is no {what} "{name}"', "a plan must not change by itself")
    elif name not in known:
        meant = nearest(name, known)
        yield Wrong(
            f'there is no {what} "{plain(name)}"',
            f"did you mean {meant}?" if meant else f"there are {', '.join(known)}",
        )
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        yield Wrong(f"* and ** are not used in a {what}")


def _not_called(name: str) -> Wrong:
    if name in CHANGING:
        return Wrong(
            f'there is no "{name}"', "a plan must not change by itself: write a fixed date, or hand it in with --var"
        )
    meant = nearest(name, HELPERS) if name else None
    there_are = f"only {', '.join(HELPERS)} can be called"
    return Wrong(
        f'"{plain(name)}" cannot be called' if name else "this cannot be called",
        f"did you mean {meant}? {there_are}" if meant else there_are,
    )

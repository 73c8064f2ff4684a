"""Scalars and variables evaluated in a scope; every problem says where, which expression, and what is known there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.manifests.template.scan import LONGEST_SCALAR, Malformed, has_expression, pieces
from reconciler.manifests.template.scope import CHANGING, HELPERS, Scope, Variable
from reconciler.manifests.words import nearest, plain
from reconciler.model.diagnostic import Location, PathTuple

if TYPE_CHECKING:
    from reconciler.manifests.template.sandbox import Compiled

MOST_REFERENCES = 20
"""Variables that refer to variables, one after the other."""
MOST_EVALUATIONS = 1_000_000
"""Expressions evaluated in one run: some seconds."""
MOST_MADE = 5_000_000
"""Values that the expressions of one run may make, those in lists and mappings counted; long text counts for more."""

_TEXT_UNIT = 100

_SHOWN_NAMES = 15


@dataclass(frozen=True)
class Problem(Exception):
    """
    What is wrong with a scalar.

    `location` is set when the mistake is not in the scalar itself but in a variable that it uses; `known` says that it
    has been told already.
    """

    message: str
    hint: str = ""
    location: Location | None = None
    known: bool = False


class Evaluator:
    """Evaluates the scalars of a run; expressions are compiled once, variables evaluated once."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._compiled: dict[str, Compiled] = {}
        self._values: dict[str, Any] = {}
        self._broken: dict[str, Problem] = {}
        self._open: list[str] = []
        self._evaluations = 0
        self._made = 0

    def scalar(self, text: str, names: Mapping[str, Any]) -> Any:
        """
        Give the value of a scalar: that of its one expression, of whatever type, or text with all of them filled in.

        `names` are what is known besides variables. Raises Problem.
        """
        try:
            parts = pieces(text)
        except Malformed as error:
            inside = f"{_quoted(error.expression)}: " if error.expression else ""
            raise Problem(f"{inside}{error}", error.hint) from None
        if len(parts) == 1 and parts[0].is_expression:
            return self._value(parts[0].text, names, inside_text=False)
        whole = "".join(
            self._value(part.text, names, inside_text=True) if part.is_expression else part.text for part in parts
        )
        if len(whole) > LONGEST_SCALAR:
            raise Problem(f"the text would have more than {LONGEST_SCALAR} characters")
        return whole

    def uses(self, text: str, name: str) -> bool:
        """Tell whether an expression of a scalar speaks of a name; one that cannot be read does not."""
        from reconciler.manifests.template.dates import Wrong

        try:
            return any(name in self._compile(part.text).names for part in pieces(text) if part.is_expression)
        except (Malformed, Wrong):
            return False

    # --- one expression --------------------------------------------------------------------------------------

    def _compile(self, expression: str) -> Compiled:
        from reconciler.manifests.template.sandbox import compiled

        if expression not in self._compiled:
            self._compiled[expression] = compiled(expression)
        return self._compiled[expression]

    def _value(self, expression: str, names: Mapping[str, Any], *, inside_text: bool) -> Any:
        self._evaluations += 1
        if self._evaluations > MOST_EVALUATIONS or self._made > MOST_MADE:
            told = self._evaluations > MOST_EVALUATIONS + 1
            self._evaluations = MOST_EVALUATIONS + 1
            raise Problem(
                "the expressions of this run come to too much", "use fewer items or shorter lists", known=told
            )
        from jinja2 import TemplateError

        from reconciler.manifests.template.dates import Wrong
        from reconciler.manifests.template.functions import plain_value, text_of
        from reconciler.manifests.template.sandbox import NotThere

        where = _quoted(expression)
        try:
            made = self._compile(expression)
            known = {"environment": self.scope.environment, **names}
            for name in sorted(made.names & self.scope.variables.keys()):
                known[name] = self._variable(name)
            result = made.evaluate({name: known[name] for name in made.names if name in known})
            value, size = (text_of(result), 0) if inside_text else plain_value(result)
            self._made += size + (len(value) // _TEXT_UNIT if isinstance(value, str) else 0)
            return value
        except NotThere as error:
            message, hint = self._not_there(error.owner, error.name, names)
            raise Problem(f"{where}: {message}", hint) from None
        except Wrong as error:
            raise Problem(f"{where}: {plain(str(error), 300)}", error.hint) from None
        except ZeroDivisionError:
            raise Problem(f"{where}: a division by zero") from None
        except (TypeError, ValueError, ArithmeticError, LookupError, TemplateError) as error:
            raise Problem(f"{where}: {plain(str(error), 300)}", self._names(names)) from None
        except (RecursionError, MemoryError):
            raise Problem(f"{where}: it takes too much to evaluate") from None

    def _not_there(self, owner: Any, name: Any, names: Mapping[str, Any]) -> tuple[str, str]:
        from reconciler.manifests.template.functions import named

        shown = plain(str(name))
        if isinstance(owner, dict):
            meant = nearest(str(name), owner)
            there_are = f"it has {_listed(owner)}" if owner else "it is empty"
            return f'the mapping has no key "{shown}"', f"did you mean {meant}? {there_are}" if meant else there_are
        if isinstance(owner, list | tuple | str) and isinstance(name, int):
            return f"there is no item {shown}; there are {len(owner)}", "items count from 0"
        if owner is None or _is_missing(owner):
            if name in CHANGING:
                return (
                    f'there is no "{shown}": a plan must not change by itself',
                    "write a fixed date, or hand it in with --var",
                )
            meant = nearest(str(name), (*self.scope.variables, *HELPERS, "environment", *names))
            known = self._names(names)
            return f'there is no variable "{shown}"', f"did you mean {meant}? {known}" if meant else known
        return f'{named(owner)} has nothing called "{shown}"', ""

    def _names(self, names: Mapping[str, Any]) -> str:
        variables = self.scope.variables
        stated = f"variables: {_listed(variables)}" if variables else "no variables are set"
        return f"known here: {', '.join(sorted({'environment', *names}))}; {stated}"

    # --- variables -------------------------------------------------------------------------------------------

    def _variable(self, name: str) -> Any:
        """Give the value of a variable, its own expressions evaluated; raises Problem, each but once as not known."""
        if name in self._broken:
            first = self._broken[name]
            raise Problem(first.message, first.hint, first.location, known=True)
        if name in self._values:
            return self._values[name]
        variable = self.scope.variables[name]
        if variable.literal:
            return variable.value
        if name in self._open:
            circle = [*self._open[self._open.index(name) :], name]
            raise Problem(f"the variables go in a circle: {' → '.join(circle)}", "", variable.locate(()))
        if len(self._open) >= MOST_REFERENCES:
            raise Problem(
                f"more than {MOST_REFERENCES} variables refer to each other in a row", "", variable.locate(())
            )
        self._open.append(name)
        try:
            value = self._filled(variable.value, (), name, variable)
        except Problem as problem:
            self._broken[name] = problem
            raise
        finally:
            self._open.pop()
        self._values[name] = value
        return value

    def _filled(self, value: Any, path: PathTuple, name: str, variable: Variable) -> Any:
        if isinstance(value, str):
            if not has_expression(value):
                return value
            try:
                return self.scalar(value, {})
            except Problem as problem:
                if problem.location is not None:
                    raise
                place = variable.locate(path)
                raise Problem(f"the variable {plain(name)}: {problem.message}", problem.hint, place) from None
        if isinstance(value, dict):
            return {key: self._filled(item, (*path, key), name, variable) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item, (*path, index), name, variable) for index, item in enumerate(value)]
        return value


def _is_missing(value: Any) -> bool:
    from jinja2.utils import missing

    return value is missing


def _quoted(expression: str) -> str:
    return f"{{{{ {plain(expression.strip(), 60)} }}}}"


def _listed(names: Mapping[str, Any]) -> str:
    shown = [plain(name, 40) for name in list(names)[:_SHOWN_NAMES]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")

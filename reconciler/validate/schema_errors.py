"""
What pydantic finds wrong, in our own words and with a place: where, what was found, what is allowed, what was meant.

pydantic's own texts name Python types and its `loc` holds the names of union branches; both mean nothing to the author
of a manifest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from reconciler.manifests.document import Document
from reconciler.manifests.words import nearest, one_of, plain, shown
from reconciler.model.diagnostic import Diagnostic, Location, PathTuple, Rule, Severity, dotted

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

_KINDS_OF_VALUE = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "none_required": "null",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "string_pattern_mismatch": "text that matches {pattern}",
}
_SIZES = {
    "string_too_short": ("at least {min_length}", "character"),
    "string_too_long": ("at most {max_length}", "character"),
    "too_short": ("at least {min_length}", "item"),
    "too_long": ("at most {max_length}", "item"),
}
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'")
_NAME = re.compile(r"[A-Za-z][A-Za-z_]{0,30}")


NO_RULES: Mapping[str, Rule] = {}


def nothing_hidden(path: PathTuple) -> bool:
    """The default for files that hold no secrets."""
    return False


@dataclass(frozen=True)
class _Found:
    """One pydantic error at a path that exists in the document."""

    path: PathTuple
    type: str
    value: Any
    message: str
    context: Mapping[str, Any]


def diagnostics(
    error: ValidationError,
    document: Document,
    model: type[BaseModel],
    prefix: PathTuple = (),
    hidden: Callable[[PathTuple], bool] = nothing_hidden,
    rules: Mapping[str, Rule] = NO_RULES,
) -> list[Diagnostic]:
    """
    Give a diagnostic for each thing that a validation found wrong.

    The validated value stands at `prefix` in the document. No value at a `hidden` path is repeated. Places of which
    the loader has complained already are left out. An error type that is the id of one of `rules` gets its fix and
    source.
    """
    found = [
        _Found(
            prefix + _real_path(document, prefix, item["loc"], item["type"]),
            item["type"],
            item.get("input"),
            item["msg"],
            item.get("ctx", {}),
        )
        for item in error.errors(include_url=False)
    ]
    groups: dict[PathTuple, list[_Found]] = {}
    for item in found:
        groups.setdefault(item.path, []).append(item)
    result = []
    for path, group in groups.items():
        inside = any(len(other) > len(path) and other[: len(path)] == path for other in groups)
        if inside and isinstance(group[0].value, (dict, list)) and all(i.type in _KINDS_OF_VALUE for i in group):
            continue  # another branch of a union fits the value better, and has said what is wrong inside
        diagnostic = _Words(document, model, prefix, hidden(path)).tell(path, group)
        rule = next((rules[item.type] for item in group if item.type in rules), None)
        if rule is not None:
            diagnostic = replace(diagnostic, rule=rule.id, source=rule.source, hint=diagnostic.hint or rule.fix)
        if diagnostic.location not in document.flaws:
            result.append(diagnostic)
    return result


def _real_path(document: Document, prefix: PathTuple, loc: Iterable[str | int], kind: str) -> PathTuple:
    """Give `loc` without the names of union branches and the like; a missing key stays as the last step."""
    value: Any = document.value
    for step in prefix:
        value = value[step]
    path: list[str | int] = []
    steps = list(loc)
    for index, step in enumerate(steps):
        if _holds(value, step):
            value = value[step]
        elif not (kind == "missing" and index == len(steps) - 1):
            continue
        path.append(step)
    return tuple(path)


def _holds(value: Any, step: str | int) -> bool:
    if isinstance(value, dict):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value)


def public_key(key: str) -> str:
    """Give a key of a file that may hold secrets: without the space after the colon, the key holds the secret."""
    name = _NAME.match(key)
    return "(not shown)" if name is None else name.group() if name.group() == key else f"{name.group()}…"


class _Words:
    def __init__(self, document: Document, model: type[BaseModel], prefix: PathTuple, hidden: bool) -> None:
        self.document = document
        self.model = model
        self.prefix = prefix
        self.hidden = hidden

    def tell(self, path: PathTuple, group: list[_Found]) -> Diagnostic:
        first = group[0]
        if self.hidden and first.type not in ("missing", "extra_forbidden"):
            return self._hidden(path, group)
        if first.type == "missing":
            return _error(self.document.locate(path), f"{_named(path)} is missing", path)
        if first.type == "extra_forbidden":
            return self._unknown_key(path)
        place = self.document.locate(path)
        if all(item.type in _KINDS_OF_VALUE or item.type in ("literal_error", "enum") for item in group):
            allowed = one_of(dict.fromkeys(_allowed(item) for item in group))
            message = f"{_named(path)} is {self._shown(path, first.value)}; it has to be {allowed}"
            return _error(place, message, path, self._hint(path, group))
        if first.type in _SIZES:
            limit, unit = _SIZES[first.type]
            size = len(first.value) if hasattr(first.value, "__len__") else 0
            limit = limit.format(**first.context)
            message = f"{_named(path)} has {size} {unit}{'s' if size != 1 else ''}; allowed are {limit}"
            return _error(place, message, path)
        return _error(place, self._own_words(path, group), path, self._hint(path, group))

    def _unknown_key(self, path: PathTuple) -> Diagnostic:
        key = str(path[-1])
        if self.hidden:
            key = public_key(key)
        known = known_keys(self.model, path[len(self.prefix) : -1])
        meant = nearest(key, known)
        where = f" in {_named(path[:-1])}" if len(path) > 1 else ""
        hint = f"did you mean {meant}?" if meant else f"known keys are {', '.join(known)}" if known else ""
        message = f'unknown key "{plain(key)}"{where}'
        shown_path = (*path[:-1], plain(key))
        return _error(self.document.locate(path, True), message, shown_path, hint)

    def _hidden(self, path: PathTuple, group: list[_Found]) -> Diagnostic:
        """Tell what is allowed, and nothing of what was found."""
        known = [item for item in group if item.type in _KINDS_OF_VALUE]
        allowed = one_of(dict.fromkeys(_allowed(item) for item in known)) if known else "another value"
        open_path = (*path[:2], *(public_key(step) if isinstance(step, str) else step for step in path[2:]))
        hint = ""
        if ":" in str(path[-1]):
            hint = "is the space after the colon missing?"
        elif isinstance(group[0].value, (int, float)) and allowed == "text":
            hint = "quote it"
        message = f"{_named(open_path)} is not what is wanted; it has to be {allowed}"
        return _error(self.document.locate(path), message, open_path, hint)

    def _shown(self, path: PathTuple, value: Any) -> str:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            written = self.document.written(path)
            return f"the number {plain(written) if written else shown(value)}"
        return shown(value)

    def _hint(self, path: PathTuple, group: list[_Found]) -> str:
        value = group[0].value
        types = {item.type for item in group}
        if isinstance(value, bool):
            return ""
        if isinstance(value, (int, float)) and ("string_type" in types or "quote" in group[0].message):
            written = self.document.written(path)
            return f'quote it: "{plain(written)}"' if written else "quote it"
        if not isinstance(value, (str, float)):
            return ""
        if isinstance(value, float):
            is_whole = value.is_integer() and abs(value) < 1e15 and types & {"int_type", "int_from_float"}
            return f"write {int(value)}" if is_whole else ""
        choices = [choice for item in group for choice in _choices(item)]
        if choices:
            meant = nearest(value, choices)
            return f"did you mean {meant}?" if meant else ""
        if types & {"int_type", "float_type"} and re.fullmatch(r"[-+]?[0-9][0-9_]*(?:\.[0-9]+)?", value):
            return f"write {value.replace('_', '')}, without quotes"
        if "bool_type" in types and value.lower() in _TRUE_WORDS | _FALSE_WORDS:
            return "write true" if value.lower() in _TRUE_WORDS else "write false"
        return ""

    def _own_words(self, path: PathTuple, group: list[_Found]) -> str:
        """Give the message of a model's own rule, with what was found where it does not say that itself."""
        item = next((i for i in group if i.type not in _KINDS_OF_VALUE), group[0])
        message = plain(item.message.removeprefix("Value error, ").removeprefix("Assertion failed, "), 300)
        found = shown(item.value)
        written = self.document.written(path) if found not in ("true", "false") else None
        if isinstance(item.value, (int, float)) and written:
            message, found = message.replace(str(item.value), plain(written)), plain(written)
        if isinstance(item.value, (dict, list)) or found.strip('"…')[:20] in message:
            return f"{_named(path)}: {message}"
        return f"{_named(path)} is {found}: {message}"


_TRUE_WORDS = {"yes", "on", "y", "true"}
_FALSE_WORDS = {"no", "off", "n", "false"}


def _named(path: PathTuple) -> str:
    return plain(dotted(path), 200) or "the document"


def _error(place: Location, message: str, path: PathTuple, hint: str = "") -> Diagnostic:
    return Diagnostic(Severity.ERROR, place, message, path=plain(dotted(path), 200), hint=hint)


def _choices(item: _Found) -> list[str]:
    if item.type not in ("literal_error", "enum"):
        return []
    return _QUOTED.findall(str(item.context.get("expected", "")))


def _allowed(item: _Found) -> str:
    if item.type in ("literal_error", "enum"):
        return one_of(_choices(item)) if _choices(item) else str(item.context.get("expected", ""))
    context = {
        key: int(value) if isinstance(value, float) and value.is_integer() else value
        for key, value in item.context.items()
    }
    return _KINDS_OF_VALUE[item.type].format(**context)


@lru_cache(maxsize=64)
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True)


def known_keys(model: type[BaseModel], path: PathTuple) -> list[str]:
    """Give the keys that a model allows in the mapping at `path`."""
    schema = _schema(model)
    nodes = [schema]
    for step in path:
        nodes = [child for node in nodes for child in _children(_variants(schema, node), step)]
    keys = [key for node in nodes for variant in _variants(schema, node) for key in variant.get("properties", {})]
    return list(dict.fromkeys(keys))


def _variants(schema: dict[str, Any], node: dict[str, Any]) -> list[dict[str, Any]]:
    """Give a schema node with its references and alternatives resolved."""
    if "$ref" in node:
        return _variants(schema, schema["$defs"][node["$ref"].rsplit("/", 1)[-1]])
    inner = [child for word in ("anyOf", "oneOf", "allOf") for child in node.get(word, ())]
    return [node, *(variant for child in inner for variant in _variants(schema, child))]


def _children(variants: list[dict[str, Any]], step: str | int) -> list[dict[str, Any]]:
    children: list[Any] = []
    for variant in variants:
        if isinstance(step, int):
            children.append(variant.get("items"))
        else:
            children.append(variant.get("properties", {}).get(step, variant.get("additionalProperties")))
    return [child for child in children if isinstance(child, dict)]

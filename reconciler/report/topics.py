"""
What `explain` can be asked about, found by the words of the question: kinds, fields, rules, the manifest's envelope.

A question is forgiving about indexes and `[]` (`user_groups[1].size`, `user_groups.size`) and about a leading `spec.`;
it is not about spelling: an unknown word is answered with the nearest ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeAlias

from reconciler.errors import UsageProblem
from reconciler.model.diagnostic import Rule
from reconciler.model.kind import Field, template
from reconciler.platforms.base import Kind
from reconciler.report.clean import clean
from reconciler.report.rule_fields import is_within
from reconciler.sanity.rules import RULES

_RULE_ID = re.compile(r"[A-Za-z]{3}\d{3}")


@dataclass(frozen=True)
class EveryKind:
    """All kinds there are."""

    kinds: tuple[Kind, ...]


@dataclass(frozen=True)
class OneKind:
    """One kind as a whole."""

    kind: Kind


@dataclass(frozen=True)
class OneField:
    """One place in a kind's spec: `field` is its row, None for a mere step on the way; `inside` what is below it."""

    kind: Kind
    path: str
    field: Field | None
    inside: tuple[Field, ...]


@dataclass(frozen=True)
class OneRule:
    """One rule of a kind."""

    kind: Kind
    rule: Rule


@dataclass(frozen=True)
class OneAdvice:
    """One rule of the statistics, which is the same for every kind."""

    rule: Rule


@dataclass(frozen=True)
class EnvelopeRow:
    """One key of a manifest outside `spec`; `default` is as YAML writes it, empty where there is none."""

    path: str
    type: str
    meaning: str
    limits: str
    default: str
    required: bool


@dataclass(frozen=True)
class Envelope:
    """A part of what manifests of all kinds share: the rows at and below one path."""

    path: str
    rows: tuple[EnvelopeRow, ...]


Topic: TypeAlias = EveryKind | OneKind | OneField | OneRule | OneAdvice | Envelope


def look_up(question: str, kinds: Sequence[Kind]) -> Topic:
    """Give what a question is about; raises UsageProblem with the nearest words when there is no such thing."""
    word = question.strip().strip(".")
    if not word:
        return EveryKind(tuple(kinds))
    if _RULE_ID.fullmatch(word):
        return _rule(word.upper(), kinds)
    name, _, path = word.partition(".")
    by_name = {kind.name: kind for kind in kinds}
    if name in by_name:
        kind = by_name[name]
        head = re.split(r"[.\[]", path, maxsplit=1)[0]
        if head in envelope_heads() and not any(row.path.startswith(head) for row in kind.fields):
            return _envelope(path)
        path = path.removeprefix("spec.") if head == "spec" else path
        return _field(kind, path) if path and path != "spec" else OneKind(kind)
    if name in envelope_heads():
        return _envelope(word)
    known = [*by_name, *envelope_heads()]
    near = _near(name, known) or known
    raise UsageProblem(f'nothing is called "{clean(name[:60])}"; {_meant(near)}')


def names_of(kinds: Sequence[Kind], envelope: bool = True) -> list[str]:
    """Give every question that has an answer of its own: kinds, fields, rules, keys of the envelope."""
    names = [kind.name for kind in kinds]
    names += [f"{kind.name}.{row.path}" for kind in kinds for row in kind.fields]
    names += [rule.id for kind in kinds for rule in kind.rules] + [rule.id for rule in RULES]
    return names + [row.path for row in envelope_rows()] if envelope else names


# --- the spec ----------------------------------------------------------------------------------------------------


def _field(kind: Kind, path: str) -> OneField:
    wanted = _bare(path)
    places = _places(kind)
    if wanted not in places:
        near = _near(wanted, places) or _near(wanted.rsplit(".", 1)[-1], places) or _neighbours(wanted, places)
        shown = [f"{kind.name}.{places[item]}" for item in near]
        raise UsageProblem(f'{kind.name} has no field "{clean(path[:100])}"; {_meant(shown)}')
    real = places[wanted]
    rows = kind.field_index()
    inside = tuple(row for row in kind.fields if row.path != real and is_within(row.path, real.removesuffix("[]")))
    return OneField(kind, real, rows.get(real), inside)


def _places(kind: Kind) -> dict[str, str]:
    """Give every place of a spec by its path without `[]`: the fields, and the steps on the way to them."""
    places = {_bare(row.path): row.path for row in kind.fields}
    for row in kind.fields:
        steps = row.path.split(".")
        for count in range(1, len(steps)):
            step = ".".join(steps[:count])
            places.setdefault(_bare(step), step)
    return places


def _bare(path: str) -> str:
    return template(path).replace("[]", "").strip(".")


def _neighbours(wanted: str, places: Mapping[str, str]) -> list[str]:
    """Give what stands beside or below the part of a path that exists; the top-level fields at the least."""
    outer = wanted
    while outer:
        outer = outer.rpartition(".")[0]
        beside = [path for path in places if path.rpartition(".")[0] == outer]
        if beside:
            return beside
    return list(places)


# --- rules -------------------------------------------------------------------------------------------------------


def _rule(name: str, kinds: Sequence[Kind]) -> OneRule | OneAdvice:
    for rule in RULES:
        if rule.id == name:
            return OneAdvice(rule)
    by_id = {rule.id: OneRule(kind, rule) for kind in kinds for rule in kind.rules}
    if name not in by_id:
        every = [*by_id, *(rule.id for rule in RULES)]
        prefix = [known for known in every if known.startswith(name[:3])]
        there = f"{prefix[0]} to {prefix[-1]}" if prefix else ", ".join(sorted({known[:3] + "…" for known in every}))
        raise UsageProblem(f"there is no rule {name}; there are {there}")
    return by_id[name]


# --- the envelope ------------------------------------------------------------------------------------------------


FOR_EACH = EnvelopeRow(
    path="forEach",
    type="list, mapping or expression",
    meaning="One experiment for each item, which expressions in the manifest know as each.key and each.value.",
    limits="at most 1,000 items; the item's key becomes part of metadata.name",
    default="",
    required=False,
)
"""The one key that is gone before a manifest is checked: what it stands for is checked in its place."""


def envelope_heads() -> tuple[str, ...]:
    """Give the top-level keys of a manifest, `spec` left out: that is what the kinds are about."""
    from reconciler.envelope import Envelope as Model

    return (*(name for name in Model.model_fields if name != "spec"), FOR_EACH.path)


def envelope_rows() -> tuple[EnvelopeRow, ...]:
    """Give every key of a manifest outside `spec`, from the very model that manifests are checked with."""
    from reconciler.envelope import Envelope as Model

    schema = Model.model_json_schema()
    rows = _rows("", schema, schema.get("$defs", {}))
    return (*(row for row in rows if row.path.split(".", 1)[0] != "spec"), FOR_EACH)


def _rows(prefix: str, schema: Mapping[str, Any], parts: Mapping[str, Any]) -> Iterable[EnvelopeRow]:
    required = schema.get("required", ())
    for name, entry in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        real = _resolved(entry, parts)
        meaning = entry.get("description") or real.get("description") or ""
        inner = "properties" in real
        default = "" if inner or name in required else _default(entry)
        meaning = meaning.replace("\n", " ")
        yield EnvelopeRow(path, _type(real), meaning, _limits(real), default, name in required)
        if inner:
            yield from _rows(f"{path}.", real, parts)


def _resolved(entry: Mapping[str, Any], parts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference, and the one branch of an optional value that is not null."""
    options = [option for option in entry.get("anyOf", ()) if option.get("type") != "null"]
    if len(options) == 1:
        return _resolved(options[0], parts)
    if "$ref" in entry:
        return _resolved(parts[entry["$ref"].rsplit("/", 1)[-1]], parts)
    return entry


def _type(entry: Mapping[str, Any]) -> str:
    if "enum" in entry or "const" in entry:
        return "enum"
    kind = entry.get("type", "any")
    if kind == "array":
        return f"list of {_type(entry.get('items', {}))}s"
    return {"object": "mapping", "string": "string", "boolean": "boolean", "integer": "integer"}.get(kind, str(kind))


def _limits(entry: Mapping[str, Any]) -> str:
    if "const" in entry:
        return str(entry["const"])
    parts = [" or ".join(entry["enum"])] if "enum" in entry else []
    if "pattern" in entry:
        parts.append(str(entry["pattern"]).strip("^$"))
    bounds = (
        ("exclusiveMinimum", "more than"),
        ("minimum", "at least"),
        ("exclusiveMaximum", "less than"),
        ("maximum", "at most"),
    )
    parts += [f"{words} {entry[key]:,.10g}" for key, words in bounds if key in entry]
    if "maxLength" in entry:
        parts.append(f"at most {entry['maxLength']} characters")
    return ", ".join(parts)


def _default(entry: Mapping[str, Any]) -> str:
    value = entry.get("default")
    if value is None or value == "":
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _envelope(path: str) -> Envelope:
    wanted = _bare(path)
    rows = tuple(row for row in envelope_rows() if is_within(row.path, wanted))
    if not rows:
        known = [row.path for row in envelope_rows()]
        raise UsageProblem(f'manifests have no key "{clean(path[:100])}"; {_meant(_near(wanted, known) or known)}')
    return Envelope(wanted, rows)


# --- near words --------------------------------------------------------------------------------------------------


def _near(word: str, known: Iterable[str]) -> list[str]:
    """Give up to three words that a misspelt one may stand for, the nearest first; the last step of a path counts."""
    folded: dict[str, list[str]] = {}
    for item in known:
        for form in {_fold(item), _fold(item.rsplit(".", 1)[-1])}:
            folded.setdefault(form, []).append(item)
    if exact := folded.get(_fold(word)):
        return exact[:3]
    close = get_close_matches(_fold(word[:100]), folded, n=3, cutoff=0.7)
    return list(dict.fromkeys(item for form in close for item in folded[form]))[:3]


def _fold(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")


def _meant(near: Sequence[str]) -> str:
    """Give the question back, or the list where it is not a guess."""
    if len(near) <= 3:
        *others, last = near
        return f"did you mean {', '.join(others)} or {last}?" if others else f"did you mean {last}?"
    return f"there are {', '.join(near)}"

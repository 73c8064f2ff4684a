"""The one layout: what moves, what stays, and that nothing is ever lost."""

from __future__ import annotations

import json
import random
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.envelope import Envelope, LifecycleBlock, Metadata
from reconciler.manifests import SourceFile, load_text
from reconciler.manifests.fmt import Formatted, formatted, formatted_file, rewrite
from reconciler.manifests.layout import KeyOrder, order_of
from reconciler.manifests.layout.order import ENVELOPE, LIFECYCLE, METADATA
from reconciler.platforms.registry import KINDS

ORDERS: dict[str, KeyOrder] = {kind.name: order_of(row.path for row in kind.fields) for kind in KINDS}


def fmt(text: str | bytes) -> str:
    """Format a text, hold it against itself, and give the result."""
    done = formatted(text if isinstance(text, bytes) else text.encode(), "a.yaml", ORDERS)
    assert done.diagnostics == ()
    again = formatted(done.after, "a.yaml", ORDERS)
    assert again.after.decode() == done.after.decode()
    return done.after.decode()


# --- small cases ---------------------------------------------------------------------------------------------------

CASES: dict[str, tuple[str, str]] = {
    "the envelope's keys stand in the order of the contract": (
        "spec: {}\nlifecycle: {onRemoval: end}\nmetadata: {name: a}\nkind: X\napiVersion: reconciler/v1\n",
        "apiVersion: reconciler/v1\nkind: X\nmetadata: {name: a}\nlifecycle: {onRemoval: end}\nspec: {}\n",
    ),
    "spec follows the kind's own table, list items too, in block and flow style": (
        "kind: LinkedInExperiment\nspec:\n  cells:\n  - trafficWeight: 50\n    name: a\n"
        "  - {reference: {campaign: 1}, name: b}\n  name: N\n  account: 1\n",
        "kind: LinkedInExperiment\nspec:\n  account: 1\n  name: N\n  cells:\n    - name: a\n      trafficWeight: 50\n"
        "    - {name: b, reference: {campaign: 1}}\n",
    ),
    "keys that nobody knows come last, in the author's order; labels are never sorted": (
        "kind: X\nzebra: 1\napple: 2\nmetadata:\n  extra: 1\n  labels: {z: 1, a: 2}\n  name: n\n",
        "kind: X\nmetadata:\n  name: n\n  labels: {z: 1, a: 2}\n  extra: 1\nzebra: 1\napple: 2\n",
    ),
    "a comment above a key and one at its end move with it": (
        "kind: X\n# about the spec\nspec: {}  # all of it\n# about the name\nmetadata: {name: a} # short\n",
        "kind: X\n# about the name\nmetadata: {name: a}  # short\n# about the spec\nspec: {}  # all of it\n",
    ),
    "the editor's comment stays first, and what stands above kind or apiVersion is about the file": (
        "# yaml-language-server: $schema=s.json\n# The headline test.\nkind: X\napiVersion: v\n",
        "# yaml-language-server: $schema=s.json\n# The headline test.\napiVersion: v\nkind: X\n",
    ),
    "a comment right above the first key belongs to it, the editor's above does not": (
        "# yaml-language-server: $schema=s.json\n# Growth asked for it.\nmetadata: {name: a}\nkind: X\n",
        "# yaml-language-server: $schema=s.json\nkind: X\n# Growth asked for it.\nmetadata: {name: a}\n",
    ),
    "a comment that opens a block and is set off stays at its top": (
        "kind: LinkedInExperiment\nspec:\n  # Times are UTC.\n\n  name: N\n  account: 1\n",
        "kind: LinkedInExperiment\nspec:\n  # Times are UTC.\n\n  account: 1\n  name: N\n",
    ),
    "comments at the end of blocks go to the block that they are indented like": (
        "spec:\n    cells:\n        - name: a\n          # of the item\n        # of the list\n    # of spec\n"
        "# of the file\n",
        "spec:\n  cells:\n    - name: a\n      # of the item\n    # of the list\n  # of spec\n# of the file\n",
    ),
    "a comment below a key and set off from the next one stays with the key above": (
        "kind: LinkedInExperiment\nspec:\n  name: N\n  # name: Old\n\n  account: 1\n",
        "kind: LinkedInExperiment\nspec:\n  account: 1\n\n  name: N\n  # name: Old\n",
    ),
    "a comment after a dash stays there; that of a key which now follows the dash goes above it": (
        "kind: LinkedInExperiment\nspec:\n  cells:\n    - # control\n      name: a\n    - trafficWeight: 50\n"
        "      # not final\n      name: b\n",
        "kind: LinkedInExperiment\nspec:\n  cells:\n    - # control\n      name: a\n    # not final\n    - name: b\n"
        "      trafficWeight: 50\n",
    ),
    "comments inside of flow style make it a block, and none is lost": (
        "metadata: {name: a, # first\n  labels: {team: growth}\n  # last\n  }  # whole\n",
        "metadata:  # whole\n  name: a  # first\n  labels: {team: growth}\n  # last\n",
    ),
    "flow style that fits is put on one line": (
        "spec:\n  a: [ 1,2 ,\n    3, ]\n  b: {x: 1,y: [],z: }\n",
        "spec:\n  a: [1, 2, 3]\n  b: {x: 1, y: [], z: null}\n",
    ),
    "flow style that is too long for a line becomes a block, inside out": (
        f"spec:\n  a: [{{b: {'x' * 60}, c: [1, 2]}}, {'y' * 60}]\n",
        f"spec:\n  a:\n    - {{b: {'x' * 60}, c: [1, 2]}}\n    - {'y' * 60}\n",
    ),
    "a JSON document becomes a block, its keys without quotes": (
        '{"spec": {"name": "N", "no": 1, "a b": 2}, "apiVersion": "v"}',
        'apiVersion: "v"\nspec: {name: "N", "no": 1, "a b": 2}\n',
    ),
    "simple single quotes become double ones, others stay as they are": (
        "a: 'x'\nb: 'it''s'\nc: '\\d'\nd: '\"q\"'\ne: \"\\u00e9\"\nf: '012'\n",
        "a: \"x\"\nb: 'it''s'\nc: '\\d'\nd: '\"q\"'\ne: \"\\u00e9\"\nf: \"012\"\n",
    ),
    "one blank line at most, none at the start of a file or block, none at the end": (
        "\n\nkind: X\n\n\n\nspec:\n\n  a: 1\n\n\n  b: 2\n\n\n",
        "kind: X\n\nspec:\n  a: 1\n\n  b: 2\n",
    ),
    "a blank line above a key that becomes the first goes to the one that was": (
        "spec: {}\n\nkind: X\nmetadata: {name: a}\n",
        "kind: X\nmetadata: {name: a}\n\nspec: {}\n",
    ),
    "a blank line at the start of a block sets nothing apart and moves nowhere": (
        "\nspec: {}\nkind: X\n",
        "kind: X\nspec: {}\n",
    ),
    "block scalars keep every character and move with their indentation": (
        "spec:\n      a: |\n         x\n           y\n\n         z   \n      b: >-\n         folded\n         on\n\n"
        "           more\n",
        "spec:\n  a: |\n    x\n      y\n\n    z   \n  b: >-\n    folded\n    on\n\n      more\n",
    ),
    "a block scalar that begins with spaces keeps its indicator": (
        "spec:\n    a: |4\n          x\n        y\n",
        "spec:\n  a: |2\n      x\n    y\n",
    ),
    "a last line of spaces is text, and no blank line": ("a: |2\n     \nb: 1\n", "a: |2\n     \nb: 1\n"),
    "the empty lines that |+ keeps are text": (
        "b: |+\n  x\n\n\na: 1\nkind: X\n",
        "kind: X\nb: |+\n  x\n\n\na: 1\n",
    ),
    "no blank line is added to what |+ keeps": (
        "kind: LinkedInExperiment\nspec:\n  description: |+\n    x\n  name: N\n\n  keyMetric: CPC\n",
        "kind: LinkedInExperiment\nspec:\n  name: N\n  description: |+\n    x\n  keyMetric: CPC\n",
    ),
    "a block scalar at the very end without a line break says so": ("a: |\n  x", "a: |-\n  x\n"),
    "comments in the header of a block scalar stay": ("a: | # why\n    x\n", "a: |  # why\n  x\n"),
    "long text on the line below its key stays there, short text comes up": (
        f"a:\n    {'x ' * 60}x\nb:\n    short\n",
        f"a:\n  {'x ' * 60}x\nb: short\n",
    ),
    "text over several lines keeps its lines": (
        'a: "one\n      two \\\n      three\n\n      four"\nb: plain\n     text\n',
        'a: "one\n  two \\\n  three\n\n  four"\nb: plain\n  text\n',
    ),
    "comments that stand under each other still do": (
        "metadata:\n    name: a        # short\n    connection: li # longer\nspec: {}    # alone\n",
        "metadata:\n  name: a         # short\n  connection: li  # longer\nspec: {}    # alone\n",
    ),
    "a comment after a dash stands under no other": (
        "a:\n  q:  # x\n    - # y\n      b: 1\n",
        "a:\n  q:  # x\n    - # y\n      b: 1\n",
    ),
    "no blank line opens a block, also above its comments": (
        "a:\n\n  # all of it\n\n  b: 1\n",
        "a:\n  # all of it\n\n  b: 1\n",
    ),
    "documents, their separators, ends and comments stay": (
        "# before\n---   # first\na: 1\n# end of first\n...\n# between\n"
        "--- {b: 2}\n---\n# only a comment\n---\nc: 3\n# last\n",
        "# before\n--- # first\na: 1\n# end of first\n...\n# between\n"
        "---\nb: 2\n---\n# only a comment\n---\nc: 3\n# last\n",
    ),
    "a directive stays above its document": ("%YAML 1.2\n---\na:   1\n", "%YAML 1.2\n---\na: 1\n"),
    "anchors and aliases stay; an alias never comes to stand before its anchor": (
        "spec: &s {a: 1}\nkind: X\nmetadata: *s\n",
        "spec: &s {a: 1}\nkind: X\nmetadata: *s\n",
    ),
    "where aliases allow it, keys are put in order": (
        "kind: X\nspec:\n    a: &a\n        - 1\n    b: *a\nmetadata: {name: n}\n",
        "kind: X\nmetadata: {name: n}\nspec:\n  a: &a\n    - 1\n  b: *a\n",
    ),
    "lists in lists, empty items and keys with a question mark": (
        "a:\n- - 1\n  -   2\n-\n- - - 3\n? b\n: 4\n",
        "a:\n  - - 1\n    - 2\n  -\n  - - - 3\nb: 4\n",
    ),
    "a comment between a key and its value goes above the key": (
        "a: # at the end\n  # above\n  1\n",
        "# above\na: 1  # at the end\n",
    ),
    "a # inside of text is no comment": (
        "a: x#y # real\nb: 'x # y'\nc: \"# z\"\nd: |\n  # text\ne: [a#b, '#']\n",
        'a: x#y  # real\nb: "x # y"\nc: "# z"\nd: |\n  # text\ne: [a#b, "#"]\n',
    ),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_layout(text: str, expected: str) -> None:
    assert fmt(text) == expected


def test_line_ends_and_byte_order_mark() -> None:
    text = '\ufeffkind: X\r\n# c\r\nspec:\r\n    a: |\r\n      x\r\n      y\r\n    b: "p\r\n      q"'
    assert fmt(text) == 'kind: X\n# c\nspec:\n  a: |\n    x\n    y\n  b: "p\n    q"\n'


def test_the_starter_manifests_keep_their_comments_and_values() -> None:
    folder = Path(__file__).parents[2] / "reconciler" / "cli" / "starter"
    for name in ("linkedin", "x", "salesforce"):
        text = re.sub("@[A-Z0-9_]+@", "2026-12-01T00:00:00Z", (folder / f"{name}.yaml.txt").read_text())
        assert fmt(text).splitlines()[0] == text.splitlines()[0]


@pytest.mark.parametrize(
    "path",
    sorted((Path(__file__).parents[2] / "examples").rglob("*.yaml")) or [None],
    ids=lambda path: path.name if path else "none",
)
def test_every_example_keeps_its_value(path: Path | None) -> None:
    if path is None:
        pytest.skip("there are no examples yet")
    before = load_text(path.read_text(), "a.yaml")
    after = load_text(fmt(path.read_text()), "a.yaml")
    assert [d.value for d in after.documents] == [d.value for d in before.documents]


def test_every_key_of_the_envelope_has_its_place() -> None:
    assert set(Envelope.model_fields) <= set(ENVELOPE)
    assert set(Metadata.model_fields) <= set(METADATA.keys)
    assert set(LifecycleBlock.model_fields) <= set(LIFECYCLE.keys)


def test_the_order_of_a_kind_reaches_into_its_lists() -> None:
    order = ORDERS["LinkedInExperiment"]
    assert order.keys[:2] == ("account", "name")
    assert order.inside["cells"].keys[0] == "name"
    assert order.inside["cells"].inside["reference"].keys == ("campaign",)


# --- what is not formatted -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: [1\n", "a.yaml:2:1: not valid YAML"),
        (b"a: 1\na: 2\n", 'a.yaml:2:1: the key "a" stands twice'),
        (b"a: 012\n", "a.yaml:1:4: 012: a number with a leading zero"),
        (b"a: !!str x\n", "a.yaml:1:4: the tag"),
        (b"a: \xff\n", "a.yaml:1:4: the file is not UTF-8 here"),
        (b"", "a.yaml: the file holds no manifest"),
    ],
)
def test_what_the_loader_refuses_is_left_as_it_is(data: bytes, message: str) -> None:
    done = formatted(data, "a.yaml", ORDERS)
    assert done.failed and not done.changed and done.after == data
    assert f"{done.diagnostics[0].location}: {done.diagnostics[0].message}".startswith(message)


@pytest.mark.parametrize("text", ["- a\n-   b\n", '"long\n  key":   1\n', "? |\n  x\n:   1\n", "just   text\n"])
def test_what_the_layout_does_not_know_is_left_as_it_is_and_named(text: str) -> None:
    loaded = load_text(text, "a.yaml")
    if loaded.diagnostics:
        return
    done = formatted(text.encode(), "a.yaml", ORDERS)
    assert not done.failed and not done.changed
    assert "left as it is" in done.diagnostics[0].message


def test_a_result_that_reads_differently_is_never_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    import reconciler.manifests.layout as layout

    for broken in ("a: 1.0\n# c\n", "a: 1\n", "a: 1\n# c\n---\nb: 2\n", "a: [\n"):
        monkeypatch.setattr(layout, "laid_out", lambda text, kinds, broken=broken: broken)
        done = formatted(b"a:   1\n# c\n", "a.yaml", ORDERS)
        assert done.failed and not done.changed and "please report it" in done.diagnostics[0].hint


# --- any manifest --------------------------------------------------------------------------------------------------


_NO_TEXT = ("true", "false", "null")


class Author:
    """Writes values as YAML in many hands: styles, indentations, key orders, comments that say where they stand."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.count = 0
        self.comments: list[str] = []
        self.glued: list[tuple[str, str]] = []  # (comment at the end of a line, what stands on that line)
        self.above: list[tuple[str, str]] = []  # (comment on a line of its own, the key below it)
        self.step = rng.choice([2, 2, 3, 4])
        self.dense = rng.choice([0.0, 0.1, 0.3])
        self.open = False  # the line above ends in line breaks that count

    def some(self, share: float) -> bool:
        return self.rng.random() < share

    def comment(self) -> str:
        self.count += 1
        opening, more = self.rng.choice(["", " ", "# ", " - "]), self.rng.choice(["", "x: 1", "[", "# {", "é"])
        text = f"#{opening}note {self.count}. {more}"
        self.comments.append(text.rstrip())
        return text + self.rng.choice(["", "  "])

    def eol(self, about: str) -> str:
        if not self.some(self.dense):
            return ""
        text = " " * self.rng.choice([1, 2, 5]) + self.comment()
        self.glued.append((self.comments[-1], about))
        return text

    def between(self, indent: int, out: list[str]) -> None:
        if self.open:
            self.open = False
            return
        while self.some(self.dense):
            if self.some(0.4):
                out += [""] * self.rng.choice([1, 1, 2])
            out.append(" " * self.rng.choice([indent, indent, indent, 0, indent + 1]) + self.comment())
        if self.some(0.15):
            out.append(" " * self.rng.choice([0, 2]))

    def scalar(self, value: Any, *, flow: bool) -> str:
        if not isinstance(value, str):
            return json.dumps(value)
        forms = [json.dumps(value)]
        if value.isprintable():
            forms.append(json.dumps(value, ensure_ascii=False))
            forms.append("'" + value.replace("'", "''") + "'")
        plain = value.replace(" ", "").replace("-", "").replace("_", "")
        if plain.isalnum() and value[:1].isalpha() and value == value.strip() and value.lower() not in _NO_TEXT:
            forms += [value] * 3
        if flow:
            return self.rng.choice(forms)
        return self.rng.choice(forms)

    def flow(self, value: Any) -> str:
        pad = self.rng.choice(["", " "])
        if isinstance(value, dict):
            return "{" + pad + f",{pad or ' '}".join(f"{k}: {self.flow(v)}" for k, v in self.items(value)) + pad + "}"
        if isinstance(value, list):
            return "[" + pad + f",{pad}".join(self.flow(v) for v in value) + pad + "]"
        return self.scalar(value, flow=True)

    def items(self, value: dict[str, Any]) -> list[tuple[str, Any]]:
        items = list(value.items())
        if self.some(0.7):
            self.rng.shuffle(items)
        return items

    def long_flow(self, value: Any, indent: int, about: str) -> list[str]:
        """Write flow style over several lines, with comments inside."""
        pairs = self.items(value) if isinstance(value, dict) else [("", v) for v in value]
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        lines = [opening + self.eol(about)]
        for key, inner in pairs:
            if self.some(self.dense):
                lines.append(" " * indent + self.comment())
            written = f"{key}: {self.flow(inner)}" if key else self.flow(inner)
            lines.append(" " * indent + written + "," + self.eol(key or ""))
        if self.some(self.dense):
            lines.append(" " * indent + self.comment())
        lines.append(" " * indent + closing + self.eol(about))
        return lines

    def block_text(self, value: str, indent: int, about: str) -> list[str]:
        body = value.rstrip("\n")
        breaks = len(value) - len(body)
        lead = "" if not body.lstrip("\n").startswith((" ", "\t")) else str(self.step)
        chomp = "-" if not breaks else "" if breaks == 1 and body and self.some(0.5) else "+"
        lines = [f"|{lead}{chomp}" + self.eol(about)]
        lines += [" " * (indent + self.step) + line if line else "" for line in body.split("\n")] if body else []
        self.open = breaks > 0
        return lines + [""] * (breaks - 1 if body else breaks)

    def value(self, value: Any, indent: int, about: str) -> list[str]:
        """Give lines; the first one follows the key or dash, with the space or break between them."""
        if isinstance(value, (dict, list)):
            if not value:
                return [" " + ("{}" if isinstance(value, dict) else "[]") + self.eol(about)]
            style = self.rng.random()
            if style < 0.2:
                return [" " + self.flow(value) + self.eol(about)]
            if style < 0.3:
                first, *rest = self.long_flow(value, indent + self.step, about)
                return [" " + first, *rest]
            head = self.eol(about)
            inside: list[str] = []
            if isinstance(value, dict):
                self.map(value, indent + self.step, inside)
            else:
                self.list(value, indent + self.rng.choice([0, self.step]) if about else indent + self.step, inside)
            return [head, *inside]
        if isinstance(value, str) and "\n" in value and all(line.isprintable() for line in value.split("\n")):
            first, *rest = self.block_text(value, indent, about)
            return [" " + first, *rest]
        if isinstance(value, str) and " " in value and self.some(0.3) and value.replace(" ", "").isalnum():
            words = value.split(" ")
            if "" not in words and value[0].isalpha():
                cut = self.rng.randrange(1, len(words))
                tail = " " * (indent + self.step) + " ".join(words[cut:]) + self.eol("")
                return [" " + " ".join(words[:cut]), tail]
        if self.some(0.1):
            return ["", " " * (indent + self.step) + self.scalar(value, flow=False) + self.eol("")]
        return [" " * self.rng.choice([1, 1, 3]) + self.scalar(value, flow=False) + self.eol(about)]

    def map(self, value: dict[str, Any], indent: int, out: list[str]) -> None:
        for index, (key, inner) in enumerate(self.items(value)):
            self.between(indent, out)
            if index and self.some(self.dense):
                out.append(" " * indent + self.comment())
                self.above.append((self.comments[-1], key))
            shown = self.rng.choice([key, key, f'"{key}"'])
            first, *rest = self.value(inner, indent, key)
            out += [f"{' ' * indent}{shown}:{first}", *rest]

    def list(self, value: list[Any], indent: int, out: list[str]) -> None:
        for inner in value:
            self.between(indent, out)
            if isinstance(inner, dict) and inner and self.some(0.7):
                inside: list[str] = []
                self.dense, dense = (self.dense, self.dense) if self.some(0.5) else (0.0, self.dense)
                self.map(inner, indent + 2, inside)
                self.dense = dense
                compact = inside[0].strip() and not inside[0].lstrip().startswith("#")
                out += (
                    [" " * indent + "- " + inside[0][indent + 2 :], *inside[1:]]
                    if compact
                    else [
                        " " * indent + "-",
                        *inside,
                    ]
                )
                continue
            first, *rest = self.value(inner, indent, "")
            out += [f"{' ' * indent}-{first}", *rest]

    def file(self, manifests: list[dict[str, Any]]) -> str:
        out: list[str] = []
        for index, manifest in enumerate(manifests):
            self.between(0, out)
            if index or self.some(0.3):
                out.append("---" + self.eol("---"))
            self.map(manifest, 0, out)
            if self.some(0.1):
                self.between(0, out)
                out.append("..." + self.eol("..."))
        end = "\n" if self.open else self.rng.choice(["", "\n", "\n\n\n"])
        self.between(0, out)
        return "\n".join(out) + end


_WORDS = st.sampled_from(
    ["alpha", "beta gamma", "one two three four", "no", "012", "1e3", "a: b", "x # y", "it's", "", "é"]
)
_TEXT = st.one_of(
    _WORDS,
    st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=12),
    st.text(alphabet="ab \n#", max_size=30),
    st.text(alphabet="xyz ", min_size=90, max_size=140),
)
_LEAF = st.one_of(_TEXT, st.integers(), st.booleans(), st.none(), st.sampled_from([1.5, 0.0, -2.25]))
_KEY = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True).filter(lambda key: key not in ("true", "false", "null"))
_ANY = st.recursive(
    _LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEY, inner, max_size=3), max_leaves=6
)


def _specs(order: KeyOrder) -> st.SearchStrategy[dict[str, Any]]:
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for key in order.keys:
        inside = order.inside.get(key)
        fields[key] = _ANY if inside is None else st.lists(_specs(inside), max_size=3) | _specs(inside)
    return st.fixed_dictionaries({}, optional=fields)


_MANIFEST = st.sampled_from(sorted(ORDERS)).flatmap(
    lambda kind: st.fixed_dictionaries(
        {"apiVersion": st.just("reconciler/v1"), "kind": st.just(kind), "spec": _specs(ORDERS[kind])},
        optional={
            "metadata": st.fixed_dictionaries(
                {"name": _KEY}, optional={"labels": st.dictionaries(_KEY, _TEXT, max_size=3), "connection": _KEY}
            ),
            "lifecycle": st.fixed_dictionaries({}, optional={"onRemoval": _KEY, "preventDestroy": st.booleans()}),
            "unknown": _ANY,
        },
    )
)


@settings(max_examples=500, deadline=None)
@given(manifests=st.lists(_MANIFEST, min_size=1, max_size=2), seed=st.integers(0, 2**32))
def test_any_manifest_keeps_its_value_and_its_comments(manifests: list[dict[str, Any]], seed: int) -> None:
    """
    Whatever the hand: the value stays, every comment is there once and beside the same key, keys stand in order, and
    formatting again changes nothing.
    """
    author = Author(random.Random(seed))
    text = author.file(manifests)
    before = load_text(text, "a.yaml")
    assert before.diagnostics == (), text
    assert [document.value for document in before.documents] == manifests

    result = fmt(text)

    after = load_text(result, "a.yaml")
    assert after.diagnostics == ()
    assert json.dumps([d.value for d in after.documents], sort_keys=True) == json.dumps(manifests, sort_keys=True)
    lines = result.split("\n")
    for comment in author.comments:
        number = comment.split("note ")[1].split(".")[0]
        assert sum(f"note {number}." in line for line in lines) == 1, comment
        assert any(line.endswith(comment) for line in lines), comment
    for comment, about in author.glued:
        index = next(index for index, line in enumerate(lines) if line.endswith(comment))
        # At the end of a line, or, where two fell together, above the key.
        near = " ".join(lines[index : index + 30]) if lines[index].strip() == comment.strip() else lines[index]
        assert about in near, (comment, about)
    for comment, key in author.above:
        index = next(index for index, line in enumerate(lines) if line.endswith(comment))
        below = next(line for line in lines[index + 1 :] if line and not line.lstrip().startswith("#"))
        assert f"{key}:" in below.replace('"', ""), (comment, key)
    for document in after.documents:
        keys = [key for key in document.value if key in ENVELOPE]
        assert keys == sorted(keys, key=ENVELOPE.index)
        spec = list(document.value["spec"])
        order = ORDERS[document.value["kind"]].keys
        assert spec == sorted(spec, key=order.index)


_PIECES = ("a", "b", ": ", ":\n", "- ", "\n", "  ", "    ", "# c\n", " # d\n", "{", "}", "[", "]", ", ", "'x'", '"y z"')
_PIECES += ("|\n", ">-\n", "|+\n", "&n ", "*n", "? ", "---\n", "...\n", "null", "1", "\t", "kind: X\n", "spec:\n")


@settings(max_examples=300, deadline=None)
@given(
    text=st.lists(
        st.sampled_from(_PIECES),
        max_size=25,
    ).map("".join)
)
def test_any_text_is_formatted_refused_or_left_and_never_breaks(text: str) -> None:
    done = formatted(text.encode(), "a.yaml", ORDERS)
    assert not any("mistake in reconciler" in item.hint for item in done.diagnostics), text
    if done.diagnostics:
        assert not done.changed
        return
    again = formatted(done.after, "a.yaml", ORDERS)
    assert again.after.decode() == done.after.decode(), text


# --- files ---------------------------------------------------------------------------------------------------------


def _file(path: Path, text: str) -> SourceFile:
    path.write_text(text)
    return SourceFile(str(path), path.name)


def test_a_file_is_replaced_whole_and_keeps_its_permissions(tmp_path: Path) -> None:
    file = _file(tmp_path / "a.yaml", "a:   1\n")
    file.path.chmod(0o640)
    done = formatted_file(file, ORDERS)
    assert rewrite(file, done, tmp_path) is None
    assert file.path.read_text() == "a: 1\n"
    assert file.path.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]


def test_a_link_inside_the_project_stays_a_link(tmp_path: Path) -> None:
    _file(tmp_path / "real.yaml", "a:   1\n")
    link = tmp_path / "link.yaml"
    link.symlink_to("real.yaml")
    file = SourceFile(str(link), "link.yaml")
    assert rewrite(file, formatted_file(file, ORDERS), tmp_path) is None
    assert link.is_symlink() and (tmp_path / "real.yaml").read_text() == "a: 1\n"


def test_a_link_out_of_the_project_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text("a:   1\n")
    project = tmp_path / "project"
    project.mkdir()
    (project / "a.yaml").symlink_to(outside)
    file = SourceFile(str(project / "a.yaml"), "a.yaml")
    problem = rewrite(file, formatted_file(file, ORDERS), project)
    assert problem is not None and "leads out of the project" in problem.message
    assert outside.read_text() == "a:   1\n"


def test_a_file_that_changed_meanwhile_is_left(tmp_path: Path) -> None:
    file = _file(tmp_path / "a.yaml", "a:   1\n")
    done = formatted_file(file, ORDERS)
    file.path.write_text("a: 2\n")
    problem = rewrite(file, done, tmp_path)
    assert problem is not None and "changed while" in problem.message
    assert file.path.read_text() == "a: 2\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]


def test_a_read_only_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _file(tmp_path / "a.yaml", "a:   1\n")
    done = formatted_file(file, ORDERS)
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may write everywhere
    problem = rewrite(file, done, tmp_path)
    assert problem is not None and "read-only" in problem.message
    assert file.path.read_text() == "a:   1\n"


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    done = formatted_file(SourceFile(str(tmp_path / "a.yaml"), "a.yaml"), ORDERS)
    assert done == Formatted("a.yaml", diagnostics=done.diagnostics) and done.failed


def test_a_thousand_manifests_take_seconds() -> None:
    rng = random.Random(1)
    manifest = {
        "apiVersion": "reconciler/v1",
        "kind": "LinkedInExperiment",
        "metadata": {"name": "a", "labels": {"team": "growth"}},
        "spec": {
            "account": "urn",
            "name": "N",
            "confidence": 90,
            "cells": [{"name": n, "trafficWeight": 50, "reference": {"campaign": "c"}} for n in ("a", "b")],
        },
    }
    files = [Author(rng).file([manifest]).encode() for _ in range(1000)]
    began = time.perf_counter()
    for data in files:
        assert not formatted(data, "a.yaml", ORDERS).failed
    assert time.perf_counter() - began < 15  # some 3 s on two busy cores

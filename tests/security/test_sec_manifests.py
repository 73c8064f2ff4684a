"""A manifest in a fork's pull request: `validate` runs on it, with nothing but the checkout."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from kinds import LINKEDIN
from laboratory import Lab, Ran

LOADS = "\x1b[2J\x9b31m\u202ereversed\u200b\u2066\r\n::error::faked"
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


@contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def validated(lab: Lab, text: str | bytes, *words: str, name: str = "experiments/evil.yaml") -> Ran:
    """Validate one hostile file: it may be refused, it must not crash, hang or reach the terminal."""
    lab.write_file(name, text)
    with within(30):
        ran = lab.run("validate", *words)
    assert "Traceback" not in ran.out + ran.err
    assert not UNSEEN.search(ran.out + ran.err), ran.err
    assert lab.requests == []
    return ran


def with_name(text: str) -> str:
    document = {"apiVersion": "reconciler/v1", "kind": LINKEDIN.kind, "metadata": {"name": "a"}}
    return yaml.safe_dump({**document, "spec": {**LINKEDIN.spec, "name": text}})


BOMBS = {
    "aliases of aliases": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(
        f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    ),
    "an alias to itself": "a: &a [*a]\n",
    "deep lists": "a: " + "[" * 100_000 + "\n",
    "deep blocks": "\n".join(" " * depth + "a:" for depth in range(2_000)),
    "deep mappings": "a: " + "{a: " * 50_000,
    "many documents": "---\na: 1\n" * 5_000,
    "many anchors": "a: [" + ", ".join(f"&a{number} x" for number in range(50_000)) + "]\n",
    "a number of a million digits": "a: " + "9" * 1_000_000,
    "a long key": "? " + "k" * 500_000 + "\n: 1\n",
    "python objects": "a: !!python/object/apply:os.system ['touch owned']\n",
    "a python name": "a: !!python/name:os.system\n",
    "binary": "a: !!binary R0lGODlhDAAMAIQAAP==\n",
    "merge keys": "a: &a {b: 1}\nc: {<<: *a}\n",
}


@pytest.mark.parametrize("what", BOMBS)
def test_yaml_that_is_a_bomb_or_a_program(lab: Lab, what: str) -> None:
    validated(lab, BOMBS[what]).must(1)
    assert not (lab.dir / "owned").exists()


def test_a_huge_file_is_not_read(lab: Lab) -> None:
    path = lab.dir / "experiments" / "evil.yaml"
    path.parent.mkdir()
    with path.open("wb") as stream:
        stream.truncate(50 * 1024**3)  # takes no room on the disk
    with within(20):
        assert "MiB are read" in lab.run("validate").must(1).err


ESCAPES = [
    "''.__class__",
    "''['__class__']",
    "''|attr('__class__')",
    "().__class__.__mro__[1].__subclasses__()",
    "date.__globals__",
    "date.__init__.__globals__['os']",
    "self",
    "self._TemplateReference__context",
    "cycler.__init__.__globals__.os.popen('touch owned').read()",
    "lipsum.__globals__",
    "namespace()",
    "joiner",
    "range(3)",
    "'{0.__class__}'.format(1)",
    "'%s' % 1",
    "'a'.join(['b'])",
    "environment.encode()",
    "joined_('a')",
    "name|map('upper')",
    "name|format",
    "name|tojson",
    "name|pprint",
    "name is sameas name",
    "caller()",
    "config",
    "request",
    "__import__('os')",
    "eval('1')",
    "open('/etc/passwd')",
    "env.LINKEDIN_ACCESS_TOKEN",
    "environ",
    "date(*['2026-01-01'])",
    "date(**{'text': '2026-01-01'})",
    "[x for x in name]",
    "lambda: 1",
]


@pytest.mark.parametrize("expression", ESCAPES)
def test_expressions_get_at_nothing_of_python(lab: Lab, expression: str) -> None:
    ran = validated(lab, with_name("{{ " + expression + " }}")).must(1)
    assert "<class" not in ran.err and "emulator-linkedin-token" not in ran.err and "root:" not in ran.err
    assert not (lab.dir / "owned").exists()


@pytest.mark.parametrize(
    "text",
    [
        "{% import 'os' as os %}",
        "{% for x in name %}x{% endfor %}",
        "{% include '/etc/passwd' %}",
        "{# a comment #}",
        "{{ name",
        "{{ '" + "a" * 100_000 + "' }}",
        "{{ " + "(" * 900 + "1" + ")" * 900 + " }}",
        "{{ " + "-" * 1_900 + "1 }}",
        "{{ " + "not " * 450 + "1 }}",
        "{{ " + " + ".join(["1"] * 450) + " }}",
        "{{ 'a' * 1000000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ (10000000000000000000 * 10000000000000000000) * 10000000000000000000 }}",
        "{{ [1] * 100000000 }}",
        "{{ 'aaaaaaaaaa' | replace('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') " * 50 + "}}",
        "{{ 'a' " + "| replace('a', 'aaaaaaaaaa')" * 8 + " }}",
    ],
)
def test_expressions_do_not_grow_without_bound(lab: Lab, text: str) -> None:
    validated(lab, with_name(text)).must(1)


def test_variables_do_not_grow_without_bound(lab: Lab) -> None:
    """Each of them ten of the one before."""
    variables = {"v0": "lol"} | {f"v{n}": "{{ " + " ~ ".join([f"v{n - 1}"] * 10) + " }}" for n in range(1, 15)}
    lab.project(variables=variables)
    validated(lab, with_name("{{ v14 }}")).must(1)
    lab.project(variables={"a": "{{ b }}", "b": "{{ a }}"})
    assert "circle" in validated(lab, with_name("{{ a }}")).must(1).err


def test_for_each_does_not_grow_without_bound(lab: Lab) -> None:
    spec = yaml.safe_dump(dict(LINKEDIN.spec))
    head = f"apiVersion: reconciler/v1\nkind: {LINKEDIN.kind}\nmetadata: {{name: a}}\n"
    body = head + f"spec:\n  {spec.strip().replace(chr(10), chr(10) + '  ')}\n"
    validated(lab, body + f"forEach: {list(range(1001))}\n").must(1)
    items = ", ".join(f"{{key: k{n}, text: {'x' * 900}}}" for n in range(1000))
    text = "{{ each.value.text" + " ~ each.value.text" * 10 + " }}"
    validated(lab, body.replace("question or claim", f'"{text}"') + f"forEach: [{items}]\n")


@pytest.mark.parametrize("pattern", ["../**/*.yaml", "/etc/*", "~/*", "experiments/../../*.yaml", "C:/x", "a\\..\\b"])
def test_globs_stay_in_the_project(lab: Lab, pattern: str) -> None:
    (lab.dir.parent / "outside.yaml").write_text("secret: canary-outside\n")
    lab.project(manifests=[pattern])
    ran = lab.run("validate").must(1)
    assert "canary-outside" not in ran.err


@pytest.mark.parametrize("command", [("validate",), ("plan",), ("fmt",), ("validate", "experiments")])
def test_links_that_leave_the_project(
    lab: Lab, tmp_path_factory: pytest.TempPathFactory, command: tuple[str, ...]
) -> None:
    """Neither read, nor shown, nor written to."""
    outside = tmp_path_factory.mktemp("outside")
    secret = outside / "secret.yaml"
    secret.write_text("canary-outside:   [1,2]\n")
    folder = lab.dir / "experiments"
    folder.mkdir()
    (folder / "link.yaml").symlink_to(secret)
    (folder / "folder").symlink_to(outside)
    (folder / "device.yaml").symlink_to("/dev/zero")
    (folder / "passwd.yaml").symlink_to("/etc/passwd")
    with within(30):
        ran = lab.run(*command).must(1)
    assert "canary" not in ran.out + ran.err and "root:" not in ran.out + ran.err
    assert "leads out of the project" in ran.err
    assert secret.read_text() == "canary-outside:   [1,2]\n"


def test_what_is_no_file(lab: Lab) -> None:
    """A named pipe would be waited for without end."""
    (lab.dir / "experiments").mkdir()
    os.mkfifo(lab.dir / "experiments" / "pipe.yaml")
    with within(20):
        lab.run("validate").must(1)
        lab.run("validate", "experiments/pipe.yaml").must(1)


@pytest.mark.parametrize("field", ["name", "metadata", "key", "label", "kind", "file"])
def test_text_that_a_terminal_would_obey(lab: Lab, field: str) -> None:
    """Also as a line of its own that a CI system would take for a command."""
    document: dict[str, object] = {"apiVersion": "reconciler/v1", "kind": LINKEDIN.kind, "metadata": {"name": "a"}}
    spec = {**LINKEDIN.spec, "keyMetric": "none"}
    name = "experiments/evil.yaml"
    match field:
        case "name":
            spec["name"] = LOADS * 50
        case "metadata":
            document["metadata"] = {"name": LOADS}
        case "key":
            spec[LOADS] = 1
        case "label":
            document["metadata"] = {"name": "a", "labels": {LOADS: LOADS}}
        case "kind":
            document["kind"] = LOADS
        case "file":
            name = f"experiments/{LOADS.replace('/', '')}.yaml"
    ran = validated(lab, yaml.safe_dump({**document, "spec": spec}), name=name).must(1)
    assert not re.search("^::", ran.out + ran.err, re.M)


def test_a_plan_shows_what_would_be_sent(lab: Lab) -> None:
    """Hidden characters stand as escapes where a reviewer reads them, in every format for people."""
    lab.manifest(LINKEDIN.kind, {**LINKEDIN.spec, "name": "Spring\u202egnirpS \u200bsale"})
    ran = lab.run("plan")
    assert not UNSEEN.search(ran.out + ran.err)
    assert "\\u202e" in ran.out and "\\u200b" in ran.out


def test_the_project_file_cannot_send_secrets_in_the_clear(lab: Lab) -> None:
    text = (lab.dir / "reconciler.yaml").read_text()
    for url in (
        "http://evil.example",
        "ftp://evil.example",
        "https://user:pw@evil.example",
        "https://evil.example/?a=b",
    ):
        lab.write_file("reconciler.yaml", re.sub(r"base_url: \S+/linkedin", f"base_url: {url}", text))
        lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
        ran = lab.run("plan").must(1)
        assert "emulator-linkedin-token" not in ran.err and "pw@" not in ran.err and lab.requests == []


def test_a_key_file_is_not_quoted(lab: Lab) -> None:
    """`private_key_file` may name any file; what stands in it is not shown."""
    secret = lab.dir.parent / "other-secret"
    secret.write_text("canary-file-4711\n")
    text = (lab.dir / "reconciler.yaml").read_text()
    project = yaml.safe_load(text)
    project["connections"]["crm"]["auth"] = {
        "client_id": "${SF_CLIENT_ID}",
        "username": "a@b.example",
        "private_key_file": str(secret),
    }
    lab.write_file("reconciler.yaml", yaml.safe_dump(project))
    for words in (("doctor",), ("import", "--all", "--connection", "crm")):
        ran = lab.run(*words)
        assert ran.code == 1 and "canary-file" not in ran.out + ran.err and "Traceback" not in ran.err


@pytest.mark.parametrize(
    "name", ["../../evil", "/etc/evil", "..", ".", "a/../../b", "\u202eevil", "\x1b[2J", "-rf", ""]
)
def test_imported_names_stay_in_their_folder(lab: Lab, name: str) -> None:
    """The name that a platform gives an experiment becomes a file name."""
    lab.manifest(LINKEDIN.kind, LINKEDIN.spec)
    lab.apply()
    remote_id = lab.remote_id(f"{LINKEDIN.kind}/a")
    lab.run("state", "rm", f"{LINKEDIN.kind}/a").must(0)
    lab.unwrite(LINKEDIN.kind)
    with lab.server.world.lock:
        lab.server.world.table("linkedin", "experiments")[remote_id]["name"] = name
    before = set(lab.dir.parent.iterdir())
    ran = lab.run("import", LINKEDIN.kind, remote_id)
    assert "Traceback" not in ran.err and not UNSEEN.search(ran.out + ran.err)
    assert set(lab.dir.parent.iterdir()) == before
    written = [path for path in (lab.dir / "experiments").rglob("*") if path.is_file()]
    for path in written:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]*\.yaml", path.name)
    assert bool(written) == (ran.code == 0), ran.err
    for bad in ("../x", "a/b", ".x", "X"):
        assert lab.run("import", LINKEDIN.kind, remote_id, "--name", bad).code == 1
    out = lab.run("import", LINKEDIN.kind, remote_id, "--out", "../outside")
    assert out.code == 1 and not (lab.dir.parent / "outside").exists()


def test_the_sources_read_as_they_stand() -> None:
    """No text of this project turns the reading direction around for its reviewers."""
    root = Path(__file__).parents[2] / "reconciler"
    for path in root.rglob("*.py"):
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", path.read_text("utf-8")), path

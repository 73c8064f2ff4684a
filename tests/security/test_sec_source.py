"""What the source does not do, read from its syntax tree: no code from data, no shell, no unchecked TLS."""

from __future__ import annotations

import ast
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.platforms.carrier import _trusted

ROOT = Path(__file__).parents[2] / "reconciler"
SOURCES = sorted(ROOT.rglob("*.py"))

CALLS = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}
DOTTED = {
    "os.system",
    "os.popen",
    "os.execv",
    "os.spawnv",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "tempfile.mktemp",
    "yaml.unsafe_load",
    "yaml.full_load",
    "yaml.load_all",
    "ssl._create_unverified_context",
    "ssl.CERT_NONE",
    "hashlib.md5",
    "random.seed",
    "logging.basicConfig",
}
MODULES = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "telnetlib",
    "ftplib",
    "xmlrpc",
    "imp",
    "ctypes",
    "pty",
}
VERIFYING = "_trusted(not self._local)"
"""The one other value of `verify`: a context that is looked at in `test_every_connection_is_verified`."""
SAFE_LOADERS = {"CSafeLoader", "SafeLoader"}


def found(tree: ast.AST) -> Iterator[str]:
    """Give what a module holds that it must not, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                yield f"{node.lineno}: {name}()"
            case ast.Attribute(value=ast.Name(id=owner), attr=attr) if f"{owner}.{attr}" in DOTTED:
                yield f"{node.lineno}: {owner}.{attr}"
            case ast.Import(names=names):
                yield from (f"{node.lineno}: import {n.name}" for n in names if n.name.split(".")[0] in MODULES)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in MODULES:
                yield f"{node.lineno}: from {module}"
            case ast.Assert() if ast.unparse(node.test).startswith("unsafe"):
                yield f"{node.lineno}: a check that -O removes"
        if isinstance(node, ast.Call):
            yield from _keywords(node)


def _keywords(node: ast.Call) -> Iterator[str]:
    called = ast.unparse(node.func)
    for word in node.keywords:
        value = ast.unparse(word.value)
        if word.arg == "shell" and value != "False":
            yield f"{node.lineno}: shell={value}"
        if word.arg in ("verify", "check_hostname") and value not in ("True", VERIFYING):
            yield f"{node.lineno}: {word.arg}={value}"
        if word.arg == "follow_redirects" and value != "False":
            yield f"{node.lineno}: follow_redirects={value}"
        if word.arg == "show_locals":
            yield f"{node.lineno}: show_locals, which prints values"
    if called == "yaml.load":
        loaders = {ast.unparse(word.value).rpartition(".")[2] for word in node.keywords if word.arg == "Loader"}
        if not loaders or not loaders <= SAFE_LOADERS:
            yield f"{node.lineno}: yaml.load without a safe loader"


@pytest.mark.parametrize("trust_env", [True, False])
def test_every_connection_is_verified(trust_env: bool) -> None:
    context = _trusted(trust_env)
    assert context.verify_mode is ssl.CERT_REQUIRED and context.check_hostname
    assert context.get_ca_certs() or context.cert_store_stats()["x509_ca"] > 0


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_forbidden_call(path: Path) -> None:
    assert list(found(ast.parse(path.read_text("utf-8")))) == []


@pytest.mark.parametrize(
    "text",
    [
        "eval('1')",
        "exec(x)",
        "import pickle",
        "from pickle import loads",
        "import os\nos.system('x')",
        "subprocess.run('x', shell=True)",
        "yaml.load(x)",
        "yaml.load(x, Loader=yaml.Loader)",
        "yaml.load(x, Loader=yaml.FullLoader)",
        "yaml.unsafe_load(x)",
        "httpx.AsyncClient(verify=False)",
        "httpx.AsyncClient(follow_redirects=True)",
        "tempfile.mktemp()",
        "context.wrap(check_hostname=False)",
    ],
)
def test_the_search_finds(text: str) -> None:
    """The test above can fail."""
    assert list(found(ast.parse(text)))


def test_one_module_makes_requests() -> None:
    """So that what is said of it in these tests holds for every request; others name the library's types at most."""
    makers = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[0] in {"httpx", "requests", "urllib3", "aiohttp", "httpcore", "urlopen"}
        and ast.unparse(node.func) not in {"httpx.Timeout", "httpx.Limits", "httpx.URL"}
    }
    assert makers == {"platforms/carrier.py"}

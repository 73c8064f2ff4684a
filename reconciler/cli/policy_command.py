"""`reconciler policy`: the guardrails of the project, the ready ones, and the test cases beside them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.common import out, out_json, project_of, style_of
from reconciler.cli.policing import checked_policies
from reconciler.errors import UsageProblem

if TYPE_CHECKING:
    from reconciler.policy.library import Ready
    from reconciler.policy.policy import Policy
    from reconciler.policy.read import Policies

_WHEN = ("validate and plan", "plan", "plan")


@click.group("policy")
def command() -> None:
    """List, explain and test the guardrails of the project."""


def _format(function: Any) -> Any:
    return click.option(
        "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print it."
    )(function)


@command.command("list")
@_format
@click.pass_context
def list_(ctx: click.Context, form: str) -> int:
    """List the policies of the project, and the ready ones that it may switch on by name."""
    from reconciler.policy.library import LIBRARY
    from reconciler.report.policy_text import rows_text

    policies = _of_project(ctx)
    items = policies.items if policies is not None else ()
    if form == "json":
        out_json(
            {"policies": [_as_json(item) for item in items], "ready": [_ready_json(row) for row in LIBRARY.values()]}
        )
        return 0
    own = [(item.name, _in_short(item)) for item in items]
    ready = [(row.name, f"{row.title} {_params_in_short(row)}".strip()) for row in LIBRARY.values()]
    parts = [("Policies of this project", own or [("none", "write some under policies: in reconciler.yaml")])]
    parts = parts if policies is not None else []
    out(rows_text([*parts, ("Ready ones, for use: NAME", ready)], style_of(sys.stdout)))
    return 0


@command.command("explain")
@click.argument("name")
@click.pass_context
def explain(ctx: click.Context, name: str) -> int:
    """Explain one policy, of the project or a ready one: what it asks, of whom, and how to set it aside."""
    from reconciler.policy.library import LIBRARY
    from reconciler.policy.read import unknown_policy
    from reconciler.report.policy_text import details_text

    policies = _of_project(ctx)
    found = policies.by_name.get(name) if policies is not None else None
    if found is not None:
        about = LIBRARY[found.use].title if found.use else ""
        out(details_text(found.name, about, _details(found), style_of(sys.stdout)))
        return 0
    if name not in LIBRARY:
        from reconciler.policy.read import Policies

        every = {**(policies.by_name if policies else {}), **dict.fromkeys(LIBRARY)}
        raise UsageProblem(unknown_policy(name, Policies(by_name=every)))  # type: ignore[arg-type]
    out(details_text(name, LIBRARY[name].title, _ready_details(LIBRARY[name]), style_of(sys.stdout)))
    return 0


@command.command("variables")
@_format
def variables(form: str) -> int:
    """List what expressions may speak of, with types and meaning."""
    from reconciler.policy.variables import VARIABLES
    from reconciler.report.policy_text import rows_text

    if form == "json":
        rows = [
            {"name": row.name, "type": row.type.value, "meaning": row.meaning, "judged": _WHEN[row.phase]}
            for row in VARIABLES.values()
        ]
        out_json({"variables": rows})
        return 0
    told = [(f"{row.name}: {row.type}", row.meaning) for row in VARIABLES.values() if not row.phase]
    late = [(f"{row.name}: {row.type}", row.meaning) for row in VARIABLES.values() if row.phase]
    out(rows_text([("Known to validate and plan", told), ("Known to plan", late)], style_of(sys.stdout)))
    return 0


@command.command("test")
@click.argument("names", nargs=-1, metavar="[NAME]…")
@_format
@click.pass_context
def test(ctx: click.Context, names: tuple[str, ...], form: str) -> int:
    """
    Run the test cases that stand beside the policies, of all or of those named.

    A case states what is not as usual under given, and whether the policy shall pass, fail or skip it. Exits 1 when a
    case does not come out as expected.
    """
    from reconciler.policy.cases import run_cases
    from reconciler.policy.read import unknown_policy
    from reconciler.report.policy_text import cases_text

    policies = checked_policies(project_of(ctx))
    for name in names:
        if name not in policies.by_name:
            raise UsageProblem(unknown_policy(name, policies))
    chosen = [item for item in policies.items if not names or item.name in names]
    results = list(run_cases(chosen))
    failed = sum(1 for item in results if item.why)
    if form == "json":
        rows = [
            {
                "policy": item.policy.name,
                "case": item.case.title,
                "file": item.case.where.file,
                "line": item.case.where.line,
                "expected": item.case.expect,
                "ok": not item.why,
                "why": item.why or None,
                "message": item.message or None,
            }
            for item in results
        ]
        out_json({"cases": rows, "failed": failed})
    else:
        told = [(item.policy.name, item.case.title, str(item.case.where), item.why) for item in results]
        without = [item.name for item in chosen if not item.cases]
        out(cases_text(told, without, style_of(sys.stdout)))
    return 1 if failed else 0


# --- words -----------------------------------------------------------------------------------------------------------


def _of_project(ctx: click.Context) -> Policies | None:
    """Give the policies of the project, None outside of one."""
    from pathlib import Path

    from reconciler.manifests.discover import PROJECT_FILE

    if not (Path.cwd() / PROJECT_FILE).exists():
        return None
    return checked_policies(project_of(ctx))


def _in_short(item: Policy) -> str:
    what = "blocks" if item.blocks else "warns"
    aside = "" if item.overridable else ", cannot be overridden"
    ready = f", use: {item.use}" if item.use and item.use != item.name else ""
    cases = f", {len(item.cases)} case{'' if len(item.cases) == 1 else 's'}" if item.cases else ""
    return f"{what}; judged in {_WHEN[item.phase]}{aside}{ready}{cases} ({item.where})"


def _details(item: Policy) -> dict[str, str]:
    from reconciler.policy.engine import in_words
    from reconciler.policy.override import LABEL

    params = "\n".join(f"{name.removeprefix('params.')}: {in_words(value)}" for name, value in item.params.items())
    aside = (
        f"the label {LABEL}{item.name}: REASON in the manifest, or --override-policy KEY={item.name}:REASON"
        if item.overridable
        else "cannot be overridden"
    )
    return {
        "Stands at": str(item.where),
        "Severity": "error: the change is blocked" if item.blocks else "warn",
        "Judged in": _WHEN[item.phase],
        **({"Match": item.match.text} if item.match else {}),
        "Assert": item.asserts.text,
        **({"Parameters": params} if params else {}),
        "Override": aside,
    }


def _ready_details(row: Ready) -> dict[str, str]:
    params = "\n".join(f"{param.name} ({param.sort}): {param.meaning}{_usual(param)}" for param in row.params)
    stated = ", ".join(f"{param.name}: {_example(param)}" for param in row.params)
    return {
        "Switch it on": f"policies: [{{use: {row.name}{f', params: {{{stated}}}' if stated else ''}}}]",
        **({"Parameters": params} if params else {}),
        "Match": row.match,
        "Assert": row.asserts,
    }


def _params_in_short(row: Ready) -> str:
    return f"params: {', '.join(param.name for param in row.params)}" if row.params else ""


def _usual(param: Any) -> str:
    from reconciler.policy.params import NEEDED

    return " Has to be stated." if param.usual is NEEDED else f" Usually {param.usual}."


def _example(param: Any) -> str:
    from reconciler.policy.params import NEEDED

    return "…" if param.usual is NEEDED else str(param.usual)


def _as_json(item: Policy) -> dict[str, Any]:
    return {
        "name": item.name,
        "use": item.use or None,
        "severity": "error" if item.blocks else "warn",
        "overridable": item.overridable,
        "judged": _WHEN[item.phase],
        "match": item.match.text if item.match else None,
        "assert": item.asserts.text,
        "cases": len(item.cases),
        "file": item.where.file,
        "line": item.where.line,
    }


def _ready_json(row: Ready) -> dict[str, Any]:
    from reconciler.policy.params import NEEDED

    return {
        "name": row.name,
        "title": row.title,
        "params": [
            {
                "name": param.name,
                "type": param.sort.value,
                "meaning": param.meaning,
                "required": param.usual is NEEDED,
                **({} if param.usual is NEEDED else {"default": param.usual}),
            }
            for param in row.params
        ],
        "match": row.match,
        "assert": row.asserts,
    }

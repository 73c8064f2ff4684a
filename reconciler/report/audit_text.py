"""Audit records as text: who changed what, when, from which commit, and what came back. All of it is hostile text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.report.clean import clean

Line = Mapping[str, Any]


def audit_text(runs: Sequence[Sequence[Line]], key: str = "") -> str:
    """Give the runs in the order handed in; with `key` only what concerns that experiment."""
    return "\n".join(_run(lines, key) for lines in runs)


def _run(lines: Sequence[Line], key: str) -> str:
    by_event = {str(line["event"]): line for line in lines}
    begin, end = by_event.get("begin", {}), by_event.get("end")
    by, plan = _mapping(begin.get("by")), _mapping(begin.get("plan"))
    who = f"{by.get('user') or 'somebody'} on {by.get('host', '?')}"
    if begin.get("actor"):
        who += f", set off by {begin['actor']}"
    out = [f"{begin.get('time', '?')}  {who}  (run {lines[0]['run']})"]
    commit = f"{begin.get('commit', 'no commit')}{', with changes not committed' if begin.get('dirty') else ''}"
    out.append(f"  from {commit}; plan {plan.get('digest', '?')}")
    if by.get("ciRun"):
        out.append(f"  CI run {by['ciRun']}")
    for change in _those(plan.get("changes"), key):
        out.append(f"  {change.get('action', '?')} {change.get('key', '?')}")
        for field in _those(change.get("fields"), ""):
            out.append(f"      {field.get('path')}: {_value(field.get('before'))} -> {_value(field.get('after'))}")
    for call in _those([line for line in lines if line["event"] == "call"], key):
        answer = f"HTTP {call['status']}" if "status" in call else f"no answer ({call.get('error', '?')})"
        query = f"?{call['query']}" if call.get("query") else ""
        request_id = f", request id {call['requestId']}" if call.get("requestId") else ""
        out.append(f"    {call.get('time')} {call.get('method')} {call.get('path')}{query}: {answer}{request_id}")
    if end is None:
        out.append("  no end is recorded: the run was killed, or is still under way")
    else:
        for outcome in _those(end.get("outcomes"), key):
            said = f": {outcome['message']}" if outcome.get("message") else ""
            out.append(f"    {outcome.get('result')} {outcome.get('key')} (id {outcome.get('remoteId') or '-'}){said}")
        if end.get("whyNot"):
            out.append(f"  {end['whyNot']}")
    return "".join(clean(line) + "\n" for line in out)


def _mapping(value: Any) -> Line:
    return value if isinstance(value, Mapping) else {}


def _those(values: Any, key: str) -> list[Line]:
    found = [each for each in values if isinstance(each, Mapping)] if isinstance(values, list) else []
    return [each for each in found if not key or each.get("key") == key]


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:100]}…"

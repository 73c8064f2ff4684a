"""A drift report as JUnit XML: one test case for each managed experiment, which fails where it moved."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as Xml  # nosec B405

from reconciler.model.resource import Key
from reconciler.plan.drift import Drift, DriftReport
from reconciler.report.clean import clean, short

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def drift_junit(report: DriftReport) -> str:
    """
    Give the XML: `failure` for what drifted, `error` for what could not be read, `system-out` for progress.

    What hides or is obeyed is written as JSON escapes, what XML 1.0 does not have is left out; the rest is text.
    """
    moved: dict[Key, list[Drift]] = {}
    for item in report.drift:
        moved.setdefault(item.key, []).append(item)
    progress: dict[Key, list[Drift]] = {}
    for item in report.progress:
        progress.setdefault(item.key, []).append(item)
    suite = Xml.Element("testsuite", name="reconciler drift")
    keys = sorted({*report.keys, *moved, *progress})
    for key in keys:
        case = Xml.SubElement(suite, "testcase", classname=_text(key.kind), name=_text(key.name))
        if items := moved.get(key):  # one failure a case: readers count cases, and many take no second one
            kinds = " and ".join(dict.fromkeys(item.kind.value for item in items))
            failure = Xml.SubElement(case, "failure", type=kinds, message=_text(_headline(items[0], kinds)))
            failure.text = _text("\n".join(line for item in items for line in _lines(item)))
        if key in progress:
            said = Xml.SubElement(case, "system-out")
            said.text = _text("\n".join(line for item in progress[key] for line in _lines(item)))
    for number, problem in enumerate(report.problems, 1):
        case = Xml.SubElement(suite, "testcase", classname="problem", name=f"problem {number}")
        Xml.SubElement(case, "error", message=_text(clean(problem)))
    suite.set("tests", str(len(keys) + len(report.problems)))
    suite.set("failures", str(len(moved)))
    suite.set("errors", str(len(report.problems)))
    Xml.indent(suite)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(suite, encoding="unicode")}\n'


def _headline(item: Drift, kinds: str) -> str:
    where = f"{item.remote_id} on {item.connection}"
    return clean(f"{item.key} {kinds}: {where}" + (f" is {item.status}" if item.status else ""))


def _lines(item: Drift) -> Iterable[str]:
    if not item.fields:
        yield _headline(item, item.kind.value)
    for field in item.fields:
        yield f"{clean(field.path)}: {short(field.applied)} -> {short(field.live)}"


def _text(text: str) -> str:
    return _NOT_XML.sub("", "\n".join(map(clean, text.split("\n"))))

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

    Characters that XML 1.0 does not have are left out; nothing else of the outside text is interpreted.
    """
    moved: dict[Key, list[Drift]] = {}
    for item in report.drift:
        moved.setdefault(item.key, []).append(item)
    progress: dict[Key, list[Drift]] = {}
    for item in report.progress:
        progress.setdefault(item.key, []).append(item)
    suite = Xml.Element("testsuite", name="reconciler drift")
    for key in report.keys:
        case = Xml.SubElement(suite, "testcase", classname=_text(key.kind), name=_text(key.name))
        for item in moved.get(key, ()):
            failure = Xml.SubElement(case, "failure", type=item.kind.value, message=_text(_headline(item)))
            failure.text = _text("\n".join(_lines(item)))
        if key in progress:
            said = Xml.SubElement(case, "system-out")
            said.text = _text("\n".join(line for item in progress[key] for line in _lines(item)))
    for number, problem in enumerate(report.problems, 1):
        case = Xml.SubElement(suite, "testcase", classname="problem", name=f"problem {number}")
        Xml.SubElement(case, "error", message=_text(problem))
    suite.set("tests", str(len(report.keys) + len(report.problems)))
    suite.set("failures", str(len(report.drift)))
    suite.set("errors", str(len(report.problems)))
    Xml.indent(suite)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(suite, encoding="unicode")}\n'


def _headline(item: Drift) -> str:
    where = f"{item.remote_id} on {item.connection}"
    return f"{item.key} {item.kind.value}: {where}" + (f" is {item.status}" if item.status else "")


def _lines(item: Drift) -> Iterable[str]:
    if not item.fields:
        yield _headline(item)
    for field in item.fields:
        yield f"{clean(field.path)}: {short(field.applied)} -> {short(field.live)}"


def _text(text: str) -> str:
    return _NOT_XML.sub("", text)

"""Every value of a run as text for people; the one place that the command line imports."""

from reconciler.report.apply_text import apply_text, outcome_line
from reconciler.report.diagnostics_text import diagnostics_text
from reconciler.report.drift_text import drift_text
from reconciler.report.plan_text import plan_lines, plan_text
from reconciler.report.state_text import record_text, state_text
from reconciler.report.style import ANSI, PLAIN, Style

__all__ = [
    "ANSI",
    "PLAIN",
    "Style",
    "apply_text",
    "diagnostics_text",
    "drift_text",
    "outcome_line",
    "plan_lines",
    "plan_text",
    "record_text",
    "state_text",
]

"""Plans and drift reports as one HTML file each: no network, no build step, no other file."""

from reconciler.report.html_drift import drift_html
from reconciler.report.html_plan import plan_html

__all__ = ["drift_html", "plan_html"]

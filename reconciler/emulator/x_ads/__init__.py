"""
X Ads API on loopback: A/B tests and the account, campaign and line item reads a planner wants.

Written from the platform's reference page (v11) and its guide alone. Where the page is silent the stricter reading is
taken, so that a careless client is refused here before it meets the platform.
"""

from reconciler.emulator.x_ads.people import edit, remove
from reconciler.emulator.x_ads.routing import PREFIX, routes
from reconciler.emulator.x_ads.rows import tick
from reconciler.emulator.x_ads.seed import seed

__all__ = ["PREFIX", "edit", "remove", "routes", "seed", "tick"]

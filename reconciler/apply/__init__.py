"""Executing a plan as shown: every call once, state written after each, unclear answers resolved by searching."""

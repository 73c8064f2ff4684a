"""What goes wrong while an emulator is set up; each is a ValueError, so callers outside need to know no names."""

from __future__ import annotations


class BadSeed(ValueError):
    """A seed does not have the shape of a world; the message names the place."""


class BadFaults(ValueError):
    """A list of faults cannot be understood; the message names the entry."""

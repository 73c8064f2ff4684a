"""The record of what is managed: read, saved as a whole, or added to entry by entry while a run is under way."""

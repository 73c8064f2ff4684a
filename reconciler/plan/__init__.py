"""Pure planning: desired, applied and live in, a plan with its calls out. Nothing here does I/O or reads a clock."""

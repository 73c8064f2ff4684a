"""The platforms that experiments run on: what each lets us do, and how to talk to it."""

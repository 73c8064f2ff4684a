"""
Advice on the experiment itself, from plain statistics: whether it can find what its manifest looks for.

Nothing here blocks: `rules` gives sentences, and `figures` the numbers that a policy may ask for.
"""

"""Marks what a snapshot of a cloud leaves as it is."""


class Kept:
    """Connects parts of a cloud, such as a pool of threads: it has no state that a snapshot restores."""

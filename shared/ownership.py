"""What is the suite's own: it is named so, and no automation ever acts on it."""

PREFIX = "caretaker-"


def is_suites_own(resource_name: str) -> bool:
    """Whether a resource belongs to Caretaker itself, by the last part of its full name."""
    return resource_name.rpartition("/")[2].startswith(PREFIX)

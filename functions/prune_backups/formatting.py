"""Names of objects for a person to read: they may hold anything, and are made harmless."""

LONGEST_NAME = 120


def printable(name: str) -> str:
    """A name that can be printed anywhere: what is not printable is escaped, and what is too long is cut."""
    text = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in name)
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"

"""The error of a broken law."""

from collections.abc import Mapping, Sequence

MOST_DIFFERENCES = 12


class LawBroken(AssertionError):
    """An automation breaks a law: names the law, the automation, the scenario, and what happened."""

    def __init__(self, law: str, case: object, what: str) -> None:
        self.law = law
        super().__init__(f"law `{law}` is broken by {case}: {what}")


def differences(expected: object, actual: object, at: str = "") -> list[str]:
    """Every place at which two values made of mappings, lists and scalars differ, in words."""
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        found = []
        for key in sorted({*expected, *actual}, key=str):
            place = f"{at} > {key}" if at else str(key)
            if key not in actual:
                found.append(f"{place}: is missing, should be {expected[key]!r}")
            elif key not in expected:
                found.append(f"{place}: should not be there, is {actual[key]!r}")
            else:
                found += differences(expected[key], actual[key], place)
        return found
    if _is_list(expected) and _is_list(actual) and len(expected) == len(actual):  # type: ignore[arg-type]
        pairs = enumerate(zip(expected, actual, strict=True))  # type: ignore[call-overload]
        return [line for place, (one, other) in pairs for line in differences(one, other, f"{at}[{place}]")]
    return [] if expected == actual else [f"{at}: is {actual!r}, should be {expected!r}"]


def in_lines(found: Sequence[str]) -> str:
    """The first differences, each on a line of its own."""
    more = [f"... and {len(found) - MOST_DIFFERENCES} more"] if len(found) > MOST_DIFFERENCES else []
    return "".join(f"\n  {line}" for line in [*found[:MOST_DIFFERENCES], *more])


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)

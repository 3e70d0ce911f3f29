"""Results that are cached by identity are worked out again for any other object, equal or not."""

from shared.cached import cached_by_identity


def test_the_last_result_is_kept_for_the_very_same_arguments() -> None:
    asked: list[tuple[object, object]] = []

    @cached_by_identity
    def both(one: list[int], other: list[int]) -> list[int]:
        asked.append((one, other))
        return one + other

    first, second = [1], [2]
    found = both(first, second)
    assert both(first, second) is found == [1, 2]
    assert asked == [(first, second)]
    assert both(first, [2]) is not found  # equal, and another object
    assert both(second, first) == [2, 1]
    assert both(first, second) == [1, 2]
    assert len(asked) == 4

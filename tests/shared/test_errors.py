"""Errors, as a report tells them."""

from google.api_core import exceptions

from shared.errors import StillBusy, in_words


def test_an_error_is_its_kind_and_what_it_says() -> None:
    assert in_words(exceptions.NotFound("no such pool")) == "NotFound: no such pool"
    assert in_words(StillBusy("an operation is running")) == "StillBusy: an operation is running"


def test_what_was_given_up_tells_what_went_wrong_the_last_time() -> None:
    error = exceptions.RetryError("Timeout of 30.0s exceeded", exceptions.ServiceUnavailable("down"))
    assert in_words(error) == "RetryError: Timeout of 30.0s exceeded, last ServiceUnavailable: down"
    assert in_words(exceptions.RetryError("gave up", None)) == "RetryError: gave up"

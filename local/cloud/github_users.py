"""GitHub's operations on whoever asks: https://docs.github.com/rest/users."""

from local.cloud.github_access import inaccessible
from local.cloud.github_answers import Answers
from local.cloud.github_exchange import Reply
from local.cloud.github_state import Token


def get_authenticated_user(token: Token, answers: Answers) -> Reply:
    """users/get-authenticated. Raises GitHubError (403) for an installation: that is no user."""
    if token.installation:
        raise inaccessible(token)
    return Reply(answers.authenticated_user(token.login))


OPERATIONS = {"users/get-authenticated": get_authenticated_user}
"""By GitHub's ids of operations."""

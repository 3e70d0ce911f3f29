"""GitHub's operations on the authenticated user: https://docs.github.com/rest/users."""

from localcloud.github.access import inaccessible
from localcloud.github.request import Reply
from localcloud.github.serializers import Answers
from localcloud.github.state import Token


def get_authenticated_user(token: Token, answers: Answers) -> Reply:
    """users/get-authenticated. Raises GitHubError (403) for an installation: that is no user."""
    if token.installation:
        raise inaccessible(token)
    return Reply(answers.authenticated_user(token.login))


OPERATIONS = {"users/get-authenticated": get_authenticated_user}
"""By GitHub's ids of operations."""

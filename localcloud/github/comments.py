"""GitHub's operations on the comments of pull requests, which are issues to this API."""

from datetime import datetime

from localcloud.core.http import NO_CONTENT
from localcloud.github.errors import GitHubError, invalid_field
from localcloud.github.request import Exchange, Reply, one_of
from localcloud.github.state import Comment

LONGEST_BODY = 65536
MAY_WRITE = ("admin", "maintain", "write")
SORTS = {"created": "created_at", "updated": "updated_at"}


def list_comments(exchange: Exchange) -> Reply:
    """issues/list-comments: the oldest first; with ``since`` those that changed since then."""
    number = exchange.pull_request.number
    since = _since(exchange)
    found = [one for one in exchange.repository.comments.values() if one.number == number]
    shown, headers = exchange.page([one for one in found if since is None or one.updated_at >= since])
    return Reply([exchange.answers.comment(exchange.repository, one) for one in shown], headers=headers)


def list_comments_of_all(exchange: Exchange) -> Reply:
    """issues/list-comments-for-repo: those of every pull request, the oldest first unless they are to be sorted."""
    query, since = exchange.query, _since(exchange)
    found = [one for one in exchange.repository.comments.values() if since is None or one.updated_at >= since]
    if "sort" in query:
        by = SORTS[query["sort"]]
        found.sort(key=lambda one: (getattr(one, by), one.id), reverse=query.get("direction", "desc") == "desc")
    shown, headers = exchange.page(found)
    return Reply([exchange.answers.comment(exchange.repository, one) for one in shown], headers=headers)


def _since(exchange: Exchange) -> datetime | None:
    """Raises GitHubError (422) for what is no time with a time zone."""
    given = exchange.query.get("since")
    if given is None:
        return None
    try:
        since = datetime.fromisoformat(given)
    except ValueError:
        since = None
    if since is None or since.tzinfo is None:
        raise GitHubError(422, f"Invalid request.\n\nIn the query parameter 'since': {given} is no date-time.")
    return since


def create_comment(exchange: Exchange) -> Reply:
    """issues/create-comment: in a locked conversation only by those who may write to the repository.

    https://docs.github.com/communities/moderating-comments-and-conversations/locking-conversations
    """
    pull = exchange.pull_request
    if pull.locked and exchange.repository.permissions.get(exchange.token.login.lower()) not in MAY_WRITE:
        raise GitHubError(403, "Unable to create comment because issue is locked.")
    new = Comment(
        id=exchange.state.new_id(),
        number=pull.number,
        login=exchange.token.login,
        body=_body(exchange),
        created_at=exchange.now,
        updated_at=exchange.now,
        app=exchange.token.installation.app if exchange.token.installation else None,
    )
    exchange.repository.comments[new.id] = new
    pull.updated_at = exchange.now
    comment = exchange.answers.comment(exchange.repository, new)
    return Reply(comment, 201, {"location": str(comment["url"])})


def get_comment(exchange: Exchange) -> Reply:
    """issues/get-comment."""
    return Reply(exchange.answers.comment(exchange.repository, _comment(exchange)))


def update_comment(exchange: Exchange) -> Reply:
    """issues/update-comment."""
    comment = _comment(exchange)
    comment.body = _body(exchange)
    comment.updated_at = exchange.now
    return Reply(exchange.answers.comment(exchange.repository, comment))


def delete_comment(exchange: Exchange) -> Reply:
    """issues/delete-comment."""
    del exchange.repository.comments[_comment(exchange).id]
    return Reply(status=NO_CONTENT)


def _comment(exchange: Exchange) -> Comment:
    return one_of(exchange.repository.comments, exchange.number("comment_id"))


def _body(exchange: Exchange) -> str:
    body = exchange.text("body")
    if not body.strip():
        raise invalid_field("IssueComment", "body", "body can't be blank", code="missing_field")
    if len(body) > LONGEST_BODY:
        raise invalid_field("IssueComment", "body", f"body is too long (maximum is {LONGEST_BODY} characters)")
    return body


OPERATIONS = {
    "issues/create-comment": create_comment,
    "issues/delete-comment": delete_comment,
    "issues/get-comment": get_comment,
    "issues/list-comments": list_comments,
    "issues/list-comments-for-repo": list_comments_of_all,
    "issues/update-comment": update_comment,
}
"""By GitHub's ids of operations."""

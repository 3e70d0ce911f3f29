"""GitHub's resources as they appear in answers. ``api`` is the URL at which the API is served."""

from datetime import UTC, datetime
from urllib.parse import quote
from zlib import crc32

from localcloud.github.schema import Json, completed
from localcloud.github.state import (
    App,
    Comment,
    Deployment,
    DeploymentStatus,
    Environment,
    Hook,
    PullRequest,
    Repository,
    State,
    User,
)

SITE = "https://github.com"
CAN = {
    "admin": ("admin", "maintain", "push", "triage", "pull"),
    "maintain": ("maintain", "push", "triage", "pull"),
    "write": ("push", "triage", "pull"),
    "triage": ("triage", "pull"),
    "read": ("pull",),
    "none": (),
}
LEGACY = {"maintain": "write", "triage": "read"}
HIDDEN = "********"


def moment(when: datetime) -> str:
    """A time as GitHub writes it."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment_or_none(when: datetime | None) -> str | None:
    return moment(when) if when else None


class Answers:
    """The resources of one GitHub, in JSON."""

    def __init__(self, state: State, api: str) -> None:
        self._state = state
        self._api = api

    def url(self, repository: Repository) -> str:
        """The address of a repository in the API."""
        return f"{self._api}/repos/{repository.full_name}"

    def user(self, login: str) -> Json:
        """A user."""
        return completed("simple-user", self._user(self._state.user(login)))

    def _user(self, user: User) -> Json:
        return {
            "login": user.login,
            "id": user.id,
            "type": user.kind,
            "url": f"{self._api}/users/{user.login}",
            "html_url": f"{SITE}/{user.login}",
        }

    def authenticated_user(self, login: str) -> Json:
        """A user, as GitHub returns her for her own token; without private fields."""
        known = {**self._user(self._state.user(login)), "user_view_type": "public"}
        return completed("public-user", known)

    def app(self, app: App) -> Json:
        """A GitHub App."""
        known: Json = {
            "id": app.id,
            "slug": app.slug,
            "client_id": app.client_id,
            "name": app.slug,
            "html_url": f"{SITE}/apps/{app.slug}",
        }
        return completed("integration", known)

    def collaborator(self, login: str, role: str) -> Json:
        """A user's permission in a repository."""
        rights: dict[str, bool] = {right: right in CAN[role] for right in CAN["admin"]}
        user = {**self._user(self._state.user(login)), "permissions": rights, "role_name": role}
        return {
            "permission": LEGACY.get(role, role),
            "role_name": role,
            "user": {**completed("simple-user", {}), **user},
        }

    def repository(self, repository: Repository, *, schema: str = "repository") -> Json:
        """A repository."""
        known: Json = {
            "id": repository.id,
            "name": repository.name,
            "full_name": repository.full_name,
            "owner": self.user(repository.owner),
            "private": repository.private,
            "fork": repository.fork,
            "default_branch": repository.default_branch,
            "url": self.url(repository),
            "html_url": f"{SITE}/{repository.full_name}",
            "created_at": moment(repository.created_at),
            "updated_at": moment(repository.created_at),
            "pushed_at": moment(repository.created_at),
        }
        return completed(schema, known)

    def pull_request(self, repository: Repository, pull: PullRequest, *, schema: str = "pull-request-simple") -> Json:
        """A pull request: as it is in a list, or with ``schema="pull-request"`` one by itself."""
        url, issue_url = f"{self.url(repository)}/pulls/{pull.number}", f"{self.url(repository)}/issues/{pull.number}"
        page = f"{SITE}/{repository.full_name}/pull/{pull.number}"
        known: Json = {
            "id": pull.id,
            "number": pull.number,
            "state": pull.state,
            "title": pull.title,
            "user": self.user(pull.login),
            "draft": pull.draft,
            "labels": [self.label(repository, one) for one in pull.labels],
            "head": self._head(pull),
            "base": {
                "label": f"{repository.owner}:{pull.base_ref}",
                "ref": pull.base_ref,
                "sha": repository.branches[pull.base_ref],
                "repo": self.repository(repository),
                "user": self.user(repository.owner),
            },
            "author_association": "NONE",
            "created_at": moment(pull.created_at),
            "updated_at": moment(pull.updated_at),
            "closed_at": _moment_or_none(pull.closed_at),
            "merged_at": _moment_or_none(pull.merged_at),
            "url": url,
            "html_url": page,
            "issue_url": issue_url,
            "comments_url": f"{issue_url}/comments",
        }
        if schema == "pull-request":
            comments = sum(one.number == pull.number for one in repository.comments.values())
            known |= {"merged": pull.merged_at is not None, "comments": comments}
        return completed(schema, known)

    def _head(self, pull: PullRequest) -> Json:
        """The source of the commits. GitHub's description does not say that ``repo`` is null for a deleted fork."""
        fork = self._state.repository(pull.head_repository) if pull.head_repository else None
        owner = fork.owner if fork else "unknown"
        return {
            "label": f"{owner}:{pull.head_ref}",
            "ref": pull.head_ref,
            "sha": pull.head_sha,
            "repo": self.repository(fork) if fork else None,
            "user": self.user(owner) if fork else None,
        }

    def label(self, repository: Repository, name: str) -> Json:
        """A label."""
        known: Json = {"id": crc32(name.encode()), "name": name, "color": "ededed", "description": ""}
        return completed("label", {**known, "url": f"{self.url(repository)}/labels/{name}"})

    def comment(self, repository: Repository, comment: Comment) -> Json:
        """A comment."""
        page = f"{SITE}/{repository.full_name}/pull/{comment.number}"
        known: Json = {
            "id": comment.id,
            "body": comment.body,
            "user": self.user(comment.login),
            "performed_via_github_app": self.app(comment.app) if comment.app else None,
            "author_association": "NONE",
            "created_at": moment(comment.created_at),
            "updated_at": moment(comment.updated_at),
            "url": f"{self.url(repository)}/issues/comments/{comment.id}",
            "html_url": f"{page}#issuecomment-{comment.id}",
            "issue_url": f"{self.url(repository)}/issues/{comment.number}",
        }
        return completed("issue-comment", known)

    def commit(self, repository: Repository, sha: str) -> Json:
        """A commit: its SHA, and nothing of what is in it."""
        known: Json = {
            "sha": sha,
            "url": f"{self.url(repository)}/commits/{sha}",
            "html_url": f"{SITE}/{repository.full_name}/commit/{sha}",
        }
        return completed("commit", known)

    def deployment(self, repository: Repository, deployment: Deployment) -> Json:
        """A deployment."""
        url = f"{self.url(repository)}/deployments/{deployment.id}"
        known: Json = {
            "id": deployment.id,
            "sha": deployment.sha,
            "ref": deployment.ref,
            "task": deployment.task,
            "payload": deployment.payload,
            "original_environment": deployment.environment,
            "environment": deployment.environment,
            "description": deployment.description,
            "creator": self.user(deployment.login),
            "transient_environment": deployment.transient_environment,
            "production_environment": deployment.production_environment,
            "created_at": moment(deployment.created_at),
            "updated_at": moment(deployment.updated_at),
            "url": url,
            "statuses_url": f"{url}/statuses",
            "repository_url": self.url(repository),
        }
        return completed("deployment", known)

    def status(self, repository: Repository, deployment: Deployment, status: DeploymentStatus) -> Json:
        """A deployment's status. An address that was not given is an empty text, as GitHub answers it."""
        url = f"{self.url(repository)}/deployments/{deployment.id}"
        known: Json = {
            "id": status.id,
            "state": status.state,
            "description": status.description,
            "environment": status.environment,
            "environment_url": status.environment_url,
            "log_url": status.log_url,
            "target_url": status.log_url,
            "creator": self.user(status.login),
            "created_at": moment(status.created_at),
            "updated_at": moment(status.created_at),
            "url": f"{url}/statuses/{status.id}",
            "deployment_url": url,
            "repository_url": self.url(repository),
        }
        return completed("deployment-status", known)

    def environment(self, repository: Repository, environment: Environment) -> Json:
        """An environment, without protection rules."""
        known: Json = {
            "id": environment.id,
            "name": environment.name,
            "created_at": moment(environment.created_at),
            "updated_at": moment(environment.created_at),
            "url": f"{self.url(repository)}/environments/{quote(environment.name, safe='')}",
        }
        return completed("environment", known)

    def hook(self, repository: Repository, hook: Hook) -> Json:
        """A webhook."""
        known: Json = {
            "id": hook.id,
            "type": "Repository",
            "name": "web",
            "active": True,
            "events": hook.events,
            "config": self.hook_config(hook),
            "created_at": moment(hook.created_at),
            "updated_at": moment(hook.updated_at),
            "url": f"{self.url(repository)}/hooks/{hook.id}",
        }
        return completed("hook", known)

    def hook_config(self, hook: Hook) -> Json:
        """A webhook's address and format; its secret is hidden."""
        secret: Json = {"secret": HIDDEN} if hook.secret else {}
        return {"url": hook.url, "content_type": hook.content_type, "insecure_ssl": hook.insecure_ssl, **secret}

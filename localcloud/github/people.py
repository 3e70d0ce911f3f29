"""Users' actions on GitHub outside its API: pushes, comments, labels, access to repositories."""

import threading
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from localcloud.core.clock import Clock
from localcloud.github.access import Limits
from localcloud.github.serializers import CAN
from localcloud.github.state import (
    CLOSED,
    OPEN,
    App,
    Comment,
    Deployment,
    DeploymentStatus,
    Head,
    Hook,
    Installation,
    PullRequest,
    Repository,
    State,
    Token,
    names,
)

FIRST_COMMIT = "5ca1ab1e" * 5


class Activity:
    """GitHub as people see it. Repositories are named in full, ``owner/name``; ``KeyError`` for what is not there."""

    def __init__(self, clock: Clock) -> None:
        self.limits = Limits(clock)
        self.lock = threading.RLock()
        """Held while the state is read or changed."""
        self.state = State()
        self._clock = clock

    # Who may what

    def add_token(
        self,
        value: str,
        login: str,
        *,
        repositories: Collection[str] | None = None,
        permissions: Mapping[str, str] | None = None,
        expires_at: datetime | None = None,
    ) -> None:
        """Let a token be someone's, for some repositories (None: all) and permissions (None: all of them)."""
        with self.lock:
            self.state.user(login)
            allowed = None if permissions is None else dict(permissions)
            self.state.tokens[value] = Token(value, login, names(repositories), allowed, expires_at)

    def revoke_token(self, value: str) -> None:
        """Let a token be unknown from now on."""
        with self.lock:
            del self.state.tokens[value]

    def add_app(self, app_id: int, public_key: str, *, client_id: str = "", slug: str = "caretaker") -> None:
        """Register an app, whose JWTs this key (PEM) verifies."""
        with self.lock:
            self.state.apps[app_id] = App(app_id, client_id or f"Iv1.{app_id:016x}", slug, public_key)

    def add_installation(
        self,
        installation_id: int,
        app_id: int,
        *,
        repositories: Collection[str] | None = None,
        permissions: Mapping[str, str],
    ) -> None:
        """Install an app, for some repositories (None: all). Again for the same id changes what it may do."""
        with self.lock:
            app = self.state.apps[app_id]
            known = self.state.installations.setdefault(installation_id, Installation(installation_id, app, None, {}))
            known.repositories, known.permissions = names(repositories), dict(permissions)

    def set_permission(self, repository: str, login: str, level: str) -> None:
        """Give someone a role: admin, maintain, write, triage, read, or none. Raises ``ValueError``."""
        if level not in CAN:
            raise ValueError(f"{level!r} is no role of a collaborator: {', '.join(CAN)}")
        with self.lock:
            self.state.user(login)
            self._repository(repository).permissions[login.lower()] = level

    # What happens

    def add_repository(
        self, full_name: str, *, private: bool = True, fork: bool = False, default_branch: str = "main"
    ) -> None:
        """Make a repository, whose default branch has one commit. Raises ``ValueError`` if it is there."""
        with self.lock:
            if full_name.lower() in self.state.repositories:
                raise ValueError(f"the repository {full_name} is there already")
            new = Repository(self.state.new_id(), full_name, private, fork, default_branch, self._clock.now())
            new.branches[default_branch] = FIRST_COMMIT
            new.commits.add(FIRST_COMMIT)
            self.state.repositories[full_name.lower()] = new

    def rename(self, repository: str, full_name: str) -> None:
        """Give a repository another name, or another owner: requests by its earlier name are redirected."""
        with self.lock:
            renamed = self._repository(repository)
            for pull in (one for each in self.state.repositories.values() for one in each.pull_requests.values()):
                if pull.head_repository.lower() == repository.lower():
                    pull.head_repository = full_name
            renamed.full_name = full_name
            self.state.repositories[full_name.lower()] = self.state.repositories.pop(repository.lower())
            self.state.earlier_names[repository.lower()] = renamed

    def open_pull_request(
        self,
        repository: str,
        number: int,
        head: Head,
        *,
        login: str = "octocat",
        title: str = "A change",
        draft: bool = False,
        labels: Collection[str] = (),
    ) -> None:
        """Open a pull request, from a branch or from a fork, which is made if need be.

        Raises ``ValueError`` if the number is taken.
        """
        with self.lock:
            base = self._repository(repository)
            if number in base.pull_requests:
                raise ValueError(f"{repository} has a pull request {number} already")
            source = head.repository or base.full_name
            if source.lower() not in self.state.repositories:
                self.add_repository(source, private=base.private, fork=True)
            self.state.user(login)
            now = self._clock.now()
            base.pull_requests[number] = PullRequest(
                id=self.state.new_id(),
                number=number,
                login=login,
                title=title,
                head_sha=head.sha,
                head_ref=head.ref,
                head_repository=self._repository(source).full_name,
                base_ref=base.default_branch,
                draft=draft,
                labels=list(labels),
                created_at=now,
                updated_at=now,
            )
            self.push(repository, number, head.sha)

    def push(self, repository: str, number: int, sha: str) -> None:
        """Push a commit to a pull request's branch. The base repository knows a fork's commits, too."""
        with self.lock:
            pull = self._touched(repository, number)
            pull.head_sha = sha
            self._repository(repository).commits.add(sha)
            source = self._repository(pull.head_repository)
            source.commits.add(sha)
            source.branches[pull.head_ref] = sha

    def close(self, repository: str, number: int, *, merged: bool = False) -> None:
        """Close a pull request, or merge it."""
        with self.lock:
            pull = self._touched(repository, number)
            pull.state, pull.closed_at = CLOSED, self._clock.now()
            pull.merged_at = self._clock.now() if merged else None

    def reopen(self, repository: str, number: int) -> None:
        """Open a closed pull request again."""
        with self.lock:
            pull = self._touched(repository, number)
            pull.state, pull.closed_at = OPEN, None

    def set_draft(self, repository: str, number: int, *, draft: bool) -> None:
        """Make a pull request a draft, or ready for review."""
        with self.lock:
            self._touched(repository, number).draft = draft

    def lock_conversation(self, repository: str, number: int, *, locked: bool = True) -> None:
        """A user locks a pull request's conversation, or unlocks it."""
        self._touched(repository, number).locked = locked

    def label(self, repository: str, number: int, name: str) -> None:
        """Set a label."""
        with self.lock:
            pull = self._touched(repository, number)
            if name not in pull.labels:
                pull.labels.append(name)

    def unlabel(self, repository: str, number: int, name: str) -> None:
        """Take a label away. Raises ``ValueError`` if it is not set."""
        with self.lock:
            self._touched(repository, number).labels.remove(name)

    def delete_fork(self, repository: str, number: int) -> None:
        """Delete the repository that a pull request came from."""
        with self.lock:
            pull = self._touched(repository, number)
            del self.state.repositories[pull.head_repository.lower()]
            pull.head_repository = ""

    def comment(self, repository: str, number: int, login: str, body: str) -> int:
        """Write a comment, and return its id."""
        with self.lock:
            pull, now = self._touched(repository, number), self._clock.now()
            new = Comment(self.state.new_id(), pull.number, self.state.user(login).login, body, now, now)
            self._repository(repository).comments[new.id] = new
            return new.id

    def identify_comment(
        self, repository: str, comment_id: int, new_id: int | None, created_at: datetime | None
    ) -> None:
        """Give a comment the id and the time that something outside knows it by."""
        with self.lock:
            comments = self._repository(repository).comments
            comment = comments.pop(comment_id)
            comment.id = new_id or comment.id
            comment.created_at = comment.updated_at = created_at or comment.created_at
            comments[comment.id] = comment

    def comments(self, repository: str, number: int) -> list[str]:
        """The texts of a pull request's comments, oldest first."""
        with self.lock:
            return [one.body for one in self._repository(repository).comments.values() if one.number == number]

    def deploy(
        self,
        repository: str,
        environment: str,
        sha: str,
        *,
        login: str = "octocat",
        state: str = "success",
        environment_url: str = "",
    ) -> int:
        """Add someone's deployment of a commit, in this state, and return its id.

        Raises ``ValueError`` for a commit that is not there.
        """
        with self.lock:
            found, now, who = self._repository(repository), self._clock.now(), self.state.user(login).login
            if sha not in found.commits:
                raise ValueError(f"{repository} has no commit {sha}")
            status = DeploymentStatus(self.state.new_id(), who, state, "", environment, environment_url, "", now)
            new = Deployment(
                id=self.state.new_id(),
                login=who,
                sha=sha,
                ref=sha,
                task="deploy",
                payload={},
                environment=environment,
                description=None,
                transient_environment=False,
                production_environment=False,
                created_at=now,
                updated_at=now,
                statuses=[status],
            )
            self.state.add_deployment(found, new)
            return new.id

    def delete_deployments(self, repository: str, environment: str) -> None:
        """Delete all deployments to an environment, as clean-up jobs do; the environment stays."""
        with self.lock:
            found = self._repository(repository).deployments
            for one in [one for one in found.values() if one.environment == environment]:
                del found[one.id]

    def add_hook(
        self,
        repository: str,
        url: str,
        secret: str,
        events: Collection[str] = ("pull_request",),
        *,
        hook_id: int | None = None,
    ) -> int:
        """Make a webhook, which is never sent, and return its id: the one that is said, or one that GitHub chooses."""
        with self.lock:
            now = self._clock.now()
            new = Hook(hook_id or self.state.new_id(), url, list(events), secret, now, now)
            self._repository(repository).hooks[new.id] = new
            return new.id

    def hook_secret(self, repository: str, hook_id: int) -> str:
        """The secret of a webhook, which the API does not tell."""
        with self.lock:
            return self._repository(repository).hooks[hook_id].secret

    def limit_for(self, period: timedelta) -> None:
        """Refuse every request for a while: GitHub's secondary rate limit."""
        self.limits.secondary_until = self._clock.now() + period

    def _repository(self, full_name: str) -> Repository:
        return self.state.repository(full_name)

    def _touched(self, repository: str, number: int) -> PullRequest:
        pull = self._repository(repository).pull_requests[number]
        pull.updated_at = self._clock.now()
        return pull

"""The settings of previews: repositories, where previews run, for how long, and who may see them."""

import re
from datetime import timedelta
from string import Formatter
from typing import Annotated, Literal

from msgspec import Meta

from shared.decision import SUITE_PREFIX
from shared.errors import SettingsError
from shared.github_access import GitHubAccess
from shared.github_events import Repository as RepositoryName
from shared.settings import Model, ProjectId, Region, Section

ACCOUNT = r"^[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z][a-z0-9-]{4,28}[a-z0-9]\.iam\.gserviceaccount\.com$"
PLACEHOLDERS = {"sha", "number"}

RESERVED_VARIABLES = re.compile(r"PORT|K_.*|X_GOOGLE_.*", re.DOTALL)
"""Cloud Run sets or refuses these names: https://cloud.google.com/run/docs/configuring/services/environment-variables."""
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LARGEST_ENVIRONMENT = 32 * 1024
"""Bytes of all variables of a container: https://cloud.google.com/run/quotas."""
TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
"""See https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests."""
MEMORY_OF_CPU = {"1": (128, 4096), "2": (128, 8192), "4": (2048, 16384)}
"""The least and the most memory for a number of CPUs, in MiB.

See https://cloud.google.com/run/docs/configuring/services/memory-limits and .../cpu.
"""

Label = Annotated[str, Meta(min_length=1, max_length=50)]
"""A label of GitHub's."""
Hours = Annotated[int, Meta(ge=1, le=24 * 90)]


class PreviewedRepository(Model, frozen=True, kw_only=True):
    """A repository on GitHub whose pull requests have previews."""

    service: Annotated[str, Meta(pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$", examples=["my-product"], max_length=49)]
    """The prefix of its previews' names: my-product makes my-product-pr-12."""
    image: Annotated[
        str,
        Meta(
            pattern=r"^[a-z0-9-]+-docker\.pkg\.dev/[^/]+/[^/]+/[^@:]+$",
            examples=["europe-west1-docker.pkg.dev/my-project/images/api"],
        ),
    ]
    """The address of its images, without tag or digest: LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE."""
    tag: str = "{sha}"
    """The tag by which the image of a commit is known, with {sha} and, if need be, {number}."""
    label: Label | None = None
    """If it is said, only pull requests that bear this label have a preview."""
    approval_label: Label | None = None
    """A label that approves a fork's head commit when a person with write access sets it."""
    drafts: bool = False
    """Whether drafts have a preview."""
    port: Annotated[int, Meta(ge=1, le=65535)] = 8080
    env: dict[str, str] = {}
    """Plain values. A preview is given no secret: what runs in it is not reviewed yet."""

    def __post_init__(self) -> None:
        for name in self.env:
            if RESERVED_VARIABLES.fullmatch(name) or not VARIABLE.fullmatch(name):
                raise SettingsError("env", name, "another name: Cloud Run refuses this one")  # never the value
        size = sum(len(f"{name}={value}".encode()) for name, value in self.env.items())
        if size > LARGEST_ENVIRONMENT:
            raise SettingsError("env", f"{size} bytes", f"at most {LARGEST_ENVIRONMENT} bytes of names and values")
        if self.service.startswith(SUITE_PREFIX):
            raise SettingsError(
                "service",
                self.service,
                f"a name that does not begin with {SUITE_PREFIX}, which is reserved for the suite",
            )
        try:
            used = {name for _, name, _, _ in Formatter().parse(self.tag) if name is not None}
        except ValueError:
            used = set()
        if "sha" not in used or used - PLACEHOLDERS:
            raise SettingsError("tag", self.tag, "a tag with {sha}, and no other placeholder than {number}")

        try:
            longest = self.tag_of(10**18, "0" * 40)  # as long as the numbers and commits of GitHub can be
        except ValueError:  # a format that a text does not have
            longest = ""
        if not TAG.fullmatch(longest):
            raise SettingsError(
                "tag", self.tag, "a tag of letters, digits, `_`, `.` and `-`, at most 128 characters with the commit"
            )

    def tag_of(self, number: int, sha: str) -> str:
        """The tag of the image for a commit of a pull request."""
        return self.tag.format(sha=sha, number=number)


class Settings(Section, frozen=True, kw_only=True):
    """The section `manage_previews` of ``caretaker.yaml``."""

    github: GitHubAccess
    project: ProjectId
    """The project of previews: best one without any production resources."""
    region: Region
    service_account: Annotated[str, Meta(pattern=ACCOUNT, examples=["api@my-product.iam.gserviceaccount.com"])]
    """The service account of previews: one of their own, without any permission."""
    repositories: Annotated[dict[RepositoryName, PreviewedRepository], Meta(min_length=1)]
    """By ``owner/name``, as GitHub spells it."""
    public: bool = False
    """Whether anybody may call a preview. If not, it takes the permission run.routes.invoke."""
    time_to_live_hours: Hours = 72
    """Since the last push or command."""
    longest_extension_hours: Hours = 24 * 14
    """The most that ``/preview extend`` gives."""
    maximum: Annotated[int, Meta(ge=1, le=900)] = 10
    """The maximum number of previews at a time."""
    max_instances: Annotated[int, Meta(ge=1, le=10)] = 2
    """Of each preview. It scales to zero without requests."""
    cpu: Literal["1", "2", "4"] = "1"
    memory: Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,4}Mi$|^[1-9][0-9]?Gi$", examples=["512Mi"])] = "512Mi"
    deployments: bool = True
    """Whether a pull request shows its preview as a deployment, too."""

    def __post_init__(self) -> None:
        least, most = MEMORY_OF_CPU[self.cpu]
        if not least <= _mebibytes(self.memory) <= most:
            wanted = f"{least}Mi to {most}Mi, which Cloud Run demands for cpu {self.cpu}"
            raise SettingsError("memory", self.memory, wanted)
        lower = [name.lower() for name in self.repositories]
        for name in self.repositories:
            if lower.count(name.lower()) > 1:
                raise SettingsError(f"repositories.{name}", name, "each repository once: GitHub ignores case")
        services = [repository.service for repository in self.repositories.values()]
        for name, repository in self.repositories.items():
            if services.count(repository.service) > 1:
                raise SettingsError(
                    f"repositories.{name}.service", repository.service, "a name that no other repository has"
                )

    def spelling_of(self, repository: str) -> str | None:
        """A repository as the settings spell it, however it is spelled: GitHub ignores case. None for others."""
        if repository in self.repositories:
            return repository
        return next((name for name in self.repositories if name.lower() == repository.lower()), None)

    @property
    def parent(self) -> str:
        """The region of the project in which previews run, as the API calls it."""
        return f"projects/{self.project}/locations/{self.region}"

    @property
    def time_to_live(self) -> timedelta:
        """The lifetime of a preview since the last push or command."""
        return timedelta(hours=self.time_to_live_hours)

    @property
    def longest_extension(self) -> timedelta:
        """The most that ``/preview extend`` gives."""
        return timedelta(hours=self.longest_extension_hours)


def _mebibytes(memory: str) -> int:
    """Of a text such as ``512Mi`` or ``2Gi``."""
    number, unit = int(memory[:-2]), memory[-2:]
    return number * 1024 if unit == "Gi" else number

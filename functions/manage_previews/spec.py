"""The specification of a preview: everything that its Cloud Run service is made from. Pure."""

from hashlib import sha256

import msgspec

from functions.manage_previews.names import service_id
from functions.manage_previews.settings import PreviewedRepository, Settings
from functions.manage_previews.world import PullRequest


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """One preview, in full."""

    parent: str
    service_id: str
    repository: str
    number: int
    sha: str
    place: str
    """Of its image, without tag or digest."""
    digest: str
    service_account: str
    port: int
    env: dict[str, str]
    cpu: str
    memory: str
    max_instances: int
    public: bool

    @property
    def name(self) -> str:
        """The service's full name."""
        return f"{self.parent}/services/{self.service_id}"

    @property
    def image(self) -> str:
        """Its image, by digest: a tag may move."""
        return f"{self.place}@{self.digest}"

    @property
    def template(self) -> str:
        """A checksum of all but the commit and its image: another one means that the settings have changed."""
        rest = msgspec.structs.replace(self, sha="", digest="")
        return sha256(msgspec.json.encode(rest, order="deterministic")).hexdigest()[:16]


def spec_of(pull: PullRequest, digest: str, repository: PreviewedRepository, settings: Settings) -> Spec:
    """The preview of a pull request's head, as an image of this digest."""
    return Spec(
        parent=settings.parent,
        service_id=service_id(repository.service, pull.number),
        repository=pull.repository,
        number=pull.number,
        sha=pull.head_sha,
        place=repository.image,
        digest=digest,
        service_account=settings.service_account,
        port=repository.port,
        env=repository.env,
        cpu=settings.cpu,
        memory=settings.memory,
        max_instances=settings.max_instances,
        public=settings.public,
    )

"""The owner's settings: what is wrong is named, with what would do."""

from typing import Any

import pytest

from tests.functions.manage_previews.stage import SECTION, settings_of
from tests.wrong_settings import refused


@pytest.mark.parametrize(
    ("repository", "error"),
    [
        ({"tag": "latest"}, r"tag: 'latest'; expected a tag with \{sha\}"),
        ({"tag": "{branch}-{sha}"}, r"tag: '\{branch\}-\{sha\}';"),
        ({"tag": "{sha"}, r"tag: '\{sha';"),
        (
            {"service": "caretaker-api"},
            r"service: 'caretaker-api'; expected a name that does not begin with caretaker-",
        ),
        ({"service": "My-Product"}, r"service: 'My-Product';"),
        ({"image": "gcr.io/my-product/api"}, r"image: 'gcr.io/my-product/api';"),
        ({"image": "europe-west1-docker.pkg.dev/p/r/api:latest"}, r"image: .*;"),
        ({"port": 0}, r"port: 0;"),
        ({"secrets": {}}, r"secrets: \{\}; expected one of service"),
    ],
)
def test_a_repository_that_will_not_do(repository: dict[str, object], error: str) -> None:
    with refused(rf"^manage_previews\.repositories\.my-team/my-product\.{error}"):
        settings_of(repository=repository)


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"github": {}}, r"github\.token_secret: None; expected either `token_secret` or `app`"),
        (
            {"github": {"token_secret": "ghp_abc"}},  # whoever puts the token itself there is told
            r"github\.token_secret: 'ghp_abc';",
        ),
        ({"service_account": "default"}, r"service_account: 'default';"),
        ({"maximum": 0}, r"maximum: 0;"),
        ({"memory": "1GB"}, r"memory: '1GB';"),
        ({"cpu": "8"}, r"cpu: '8'; expected 1, 2 or 4"),
        ({"repositories": {}}, r"repositories: \{\};"),
    ],
)
def test_settings_that_will_not_do(more: dict[str, Any], error: str) -> None:
    with refused(rf"^manage_previews\.{error}"):
        settings_of(**more)


def test_two_repositories_cannot_have_services_of_one_name() -> None:
    (one,) = SECTION["repositories"].values()  # type: ignore[attr-defined] # it is a mapping
    with refused(r"service: 'my-product'; expected a name that no other repository has"):
        settings_of(repositories={"a/b": one, "c/d": one})

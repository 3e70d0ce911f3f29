"""The owner's settings: what is wrong is named, with what would do."""

from typing import Any

import pytest

from shared.errors import SettingsError
from tests.functions.manage_previews.stage import SECTION, settings_of


@pytest.mark.parametrize(
    ("repository", "error"),
    [
        ({"tag": "latest"}, r"tag: 'latest' will not do: a tag with \{sha\} in it"),
        ({"tag": "{branch}-{sha}"}, r"tag: '\{branch\}-\{sha\}' will not do"),
        ({"tag": "{sha"}, r"tag: '\{sha' will not do"),
        (
            {"service": "caretaker-api"},
            r"service: 'caretaker-api' will not do: a name that does not begin with caretaker-",
        ),
        ({"service": "My-Product"}, r"service: 'My-Product' will not do"),
        ({"image": "gcr.io/my-product/api"}, r"image: 'gcr.io/my-product/api' will not do"),
        ({"image": "europe-west1-docker.pkg.dev/p/r/api:latest"}, r"image: .* will not do"),
        ({"port": 0}, r"port: 0 will not do"),
        ({"secrets": {}}, r"secrets: \{\} will not do: there is no such key"),
    ],
)
def test_a_repository_that_will_not_do(repository: dict[str, object], error: str) -> None:
    with pytest.raises(SettingsError, match=rf"^manage_previews\.repositories\.my-team/my-product\.{error}"):
        settings_of(repository=repository)


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"github": {}}, r"github\.token_secret: None will not do: either `token_secret` or `app`"),
        (
            {"github": {"token_secret": "ghp_abc"}},  # whoever puts the token itself there is told
            r"github\.token_secret: 'ghp_abc' will not do",
        ),
        ({"service_account": "default"}, r"service_account: 'default' will not do"),
        ({"maximum": 0}, r"maximum: 0 will not do"),
        ({"memory": "1GB"}, r"memory: '1GB' will not do"),
        ({"cpu": "8"}, r"cpu: '8' will not do: it is one of 1, 2, 4"),
        ({"repositories": {}}, r"repositories: \{\} will not do"),
    ],
)
def test_settings_that_will_not_do(more: dict[str, Any], error: str) -> None:
    with pytest.raises(SettingsError, match=rf"^manage_previews\.{error}"):
        settings_of(**more)


def test_two_repositories_cannot_have_services_of_one_name() -> None:
    (one,) = SECTION["repositories"].values()  # type: ignore[attr-defined] # it is a mapping
    with pytest.raises(SettingsError, match=r"service: 'my-product' will not do: a name of its own"):
        settings_of(repositories={"a/b": one, "c/d": one})

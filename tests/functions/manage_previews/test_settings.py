"""The owner's settings: what is wrong is named, with what would do."""

from typing import Any

import pytest

from shared.errors import SettingsError
from tests.functions.manage_previews.stage import SECTION, settings_of
from tests.wrong_settings import parts_of, refused


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
        ({"tag": "pr/{sha}"}, r"tag: 'pr/\{sha\}'; expected a tag of letters"),
        ({"tag": "{sha:d}"}, r"tag: '\{sha:d\}'; expected a tag of letters"),
        ({"tag": "-{sha}"}, r"tag: '-\{sha\}'; expected a tag of letters"),
        ({"tag": "x" * 100 + "{sha}"}, r"tag: .*; expected a tag of letters"),
        ({"env": {"PORT": "80"}}, r"env: 'PORT'; expected another name"),
        ({"env": {"K_SERVICE": "x"}}, r"env: 'K_SERVICE';"),
        ({"env": {"X_GOOGLE_A": "x"}}, r"env: 'X_GOOGLE_A';"),
        ({"env": {"A=B": "x"}}, r"env: 'A=B';"),
        ({"env": {"BIG": "x" * 40_000}}, r"env: '40004 bytes'; expected at most 32768 bytes"),
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
            {"github": {"token_secret": "ghp_abc"}},  # the token itself is an error
            r"github\.token_secret: 'ghp_abc';",
        ),
        ({"service_account": "default"}, r"service_account: 'default';"),
        ({"maximum": 0}, r"maximum: 0;"),
        ({"memory": "1GB"}, r"memory: '1GB';"),
        ({"cpu": "4", "memory": "512Mi"}, r"memory: '512Mi'; expected 2048Mi to 16384Mi, .* for cpu 4"),
        ({"cpu": "1", "memory": "8Gi"}, r"memory: '8Gi'; expected 128Mi to 4096Mi"),
        ({"memory": "64Mi"}, r"memory: '64Mi';"),
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


def test_the_value_of_a_variable_is_in_no_error() -> None:
    with pytest.raises(SettingsError) as error:
        settings_of(repository={"env": {"PORT": "canary-value"}})
    assert "canary-value" not in f"{error.value}{parts_of(error.value)}"


@pytest.mark.parametrize(("cpu", "memory"), [("1", "4Gi"), ("2", "8192Mi"), ("4", "2Gi"), ("4", "16Gi")])
def test_the_least_and_the_most_memory_of_cloud_run_are_accepted(cpu: str, memory: str) -> None:
    assert settings_of(cpu=cpu, memory=memory).memory == memory


@pytest.mark.parametrize("tag", ["{sha}", "pr-{number}-{sha}", "v_1.{sha}"])
def test_a_tag_that_a_registry_takes_is_accepted(tag: str) -> None:
    assert settings_of(repository={"tag": tag, "env": {"MY_PORT": "1", "KEY": "x"}})

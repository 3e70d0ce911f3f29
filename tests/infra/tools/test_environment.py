"""Environments: made once for each version of a lock file, and whole or not at all."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from infra.suite.automations import ROOT
from infra.tools import environment


@pytest.mark.one_python
def test_an_installation_that_failed_is_done_again_and_a_whole_one_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, lock = tmp_path / "env", tmp_path / "requirements.txt"
    home.mkdir()
    (home / "half-installed").touch()
    lock.write_text("no requirement!\n")
    assert environment.main([str(home), str(lock)]) == 1
    error = capsys.readouterr().err
    assert "no requirement!" in error
    assert "run this again" in error

    lock.write_text("# nothing\n")
    assert environment.main([str(home), str(lock), sys.executable]) == 0  # another's pip does it
    assert "Installed in" in capsys.readouterr().out
    assert not (home / "half-installed").exists()
    assert subprocess.run([home / "bin" / "python", "-c", ""], check=False).returncode == 0

    (home / "kept").touch()
    assert environment.main([str(home), str(lock)]) == 0
    assert capsys.readouterr().out == ""
    assert (home / "kept").exists()


def test_an_environment_depends_on_its_pins_and_its_place(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("a==1\n")
    here, there = (environment.fingerprint(tmp_path / name, lock) for name in ("here", "there"))
    lock.write_text("a==2\n")
    assert len({here, there, environment.fingerprint(tmp_path / "here", lock)}) == 3


def test_a_missing_lock_is_said_plainly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert environment.main([str(tmp_path / "env"), str(tmp_path / "requirements.txt")]) == 1
    assert "requirements.txt" in capsys.readouterr().err


def test_uv_comes_first_by_its_own_pin() -> None:
    pin = environment.UV_PIN.search((ROOT / "requirements.txt").read_text())
    assert pin
    assert pin[0].count("==") == 1
    assert "--hash=sha256:" in pin[0]


@pytest.mark.parametrize(
    ("listed", "settings"),
    [
        ("", {}),
        (":env:.disable-pip-version-check='1'\nglobal.user='0'\n", {}),
        (
            """:env:.cert='/a.pem'\nglobal.cert='/a.pem'\nglobal.find-links='/w /x'
global.extra-index-url='https://a.example/simple\\nhttps://b.example/simple'\n""",
            {
                "SSL_CERT_FILE": "/a.pem",
                "UV_FIND_LINKS": "/w,/x",
                "UV_INDEX": "https://a.example/simple https://b.example/simple",
            },
        ),
        ("global.index-url='https://a.example'\ninstall.index-url='https://b.example'\n", None),
        ("global.trusted-host='a.example'\n", None),
    ],
)
def test_uv_installs_from_where_pip_would_or_not_at_all(listed: str, settings: dict[str, str] | None) -> None:
    assert environment.uv_settings(listed) == settings


@pytest.mark.one_python
def test_a_pip_that_does_not_run_is_reported_in_its_own_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_given: object, **_options: object) -> None:
        raise subprocess.CalledProcessError(1, ["python", "-m", "ensurepip"], output=b"pip needs zlib\n")

    monkeypatch.setattr("venv.create", fails)
    (tmp_path / "requirements.txt").touch()
    assert environment.main([str(tmp_path / "env"), str(tmp_path / "requirements.txt")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("pip needs zlib\n")
    assert "ensurepip" not in error


def test_what_a_link_points_to_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere, link, lock = tmp_path / "elsewhere", tmp_path / ".venv", tmp_path / "requirements.txt"
    elsewhere.mkdir()
    (elsewhere / "installed").write_text("another checkout's")
    link.symlink_to(elsewhere)
    lock.write_text("# nothing\n")
    assert environment.main([str(link), str(lock)]) == 1
    assert f"{link} is a link to {elsewhere}" in capsys.readouterr().err
    assert (elsewhere / "installed").read_text() == "another checkout's"


def test_it_runs_on_a_bare_python() -> None:
    program = f"import sys; sys.path.insert(0, {str(Path(environment.__file__).parent)!r}); import environment"
    assert subprocess.run([sys.executable, "-I", "-S", "-c", program], check=False).returncode == 0


def test_a_second_run_waits_for_the_first(tmp_path: Path) -> None:
    home, lock = tmp_path / "env", tmp_path / "requirements.txt"
    lock.write_text("# nothing\n")
    with (tmp_path / "env.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        program = (sys.executable, environment.__file__, home, lock)
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as second:
            assert second.stdout
            assert "waiting for it" in second.stdout.readline()
            # What the first run leaves behind.
            home.mkdir()
            (home / "installed").write_text(environment.fingerprint(home, lock))
            fcntl.flock(held, fcntl.LOCK_UN)
            assert second.wait() == 0
    assert [path.name for path in home.iterdir()] == ["installed"]

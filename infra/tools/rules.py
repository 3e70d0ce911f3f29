"""The rules of the house that no other tool knows: each finds what breaks it in a checkout."""

import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REGISTRY_HOST = r"\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|crates\.io|proxy\.golang\.org|deb\.debian\.org)\b"
NOT_INSIDE = r"(?<![\w.])"  # infra/root/main.tf is no home directory
HOME_FOLDER = NOT_INSIDE + r"(?:/root|/(?:home|Users)/[\w.-]+|[A-Z]:\\Users\\[\w.-]+)[/\\]"
LOCKED_APART = ("functions/*", "jobs/*", "examples/*", "localcloud", "report/service", "infra/tools/skeleton/function")
"""The folders that are deployed or used with requirements of their own, and the skeleton of one."""
ADDRESS_IN_LOCK = re.compile(r"://|--(?:(?:extra-)?index-url|find-links|trusted-host)\b|(?<!\S)/\S")


@dataclass(frozen=True)
class Pin:
    """A line of a lock file: ``msgspec==0.22.0``, say, and how many files may be installed for it."""

    requirement: Requirement
    hashes: int


def speaks_of_itself(root: Path) -> list[str]:
    """No file of the project names a package registry's host, or a folder of someone's machine."""
    folders = (re.escape(str(folder)) for folder in (root, Path.home()) if len(folder.parts) > 1)
    unwanted = re.compile("|".join([REGISTRY_HOST, HOME_FOLDER, *(f"{NOT_INSIDE}{folder}/" for folder in folders)]))
    return [
        f"{path.relative_to(root)}:{number}: {found[0]}"
        for path in project_files(root)
        for number, line in enumerate(_lines(path), start=1)
        if (found := unwanted.search(line))
    ]


def locks_carry_no_addresses(root: Path) -> list[str]:
    """A lock file lists what to install; the index to install from is each machine's own setting."""
    return [
        f"{lock.relative_to(root)}:{number}: {line.strip()}"
        for lock in lock_files(root)
        for number, line in enumerate(_lines(lock), start=1)
        if ADDRESS_IN_LOCK.search(line)
    ]


def locks_are_current(root: Path) -> list[str]:
    """Each lock pins all that its requirements ask for, with hashes, and all locks agree on each version."""
    development = read_lock(root / "requirements.txt")
    found = list(_unmet(development, development_requirements(root), "requirements.txt"))
    for lock in lock_files(root)[1:]:
        pins, name = read_lock(lock), str(lock.relative_to(root))
        found += _unmet(pins, requirements_in(lock.with_suffix(".in")), name)
        found += [
            f"{name}: {pin.requirement} is not what requirements.txt pins"
            for package, pin in pins.items()
            if package not in development or not _holds_for(development[package].requirement, pin.requirement)
        ]
    return [f"{complaint}: run ./deploy.sh lock" for complaint in found]


def project_files(root: Path) -> list[Path]:
    """The files that git tracks in ``root``, and those that it would if they were added."""
    listing = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return sorted(path for name in set(listing.stdout.split("\0")) if (path := root / name).is_file())


def is_shell_script(path: Path) -> bool:
    """Whether a file is for bash, by its first line."""
    return bool(re.match(r"#!.*\bbash\b", next(iter(_lines(path)), "")))


def lock_files(root: Path) -> list[Path]:
    """The development lock, then that of each function, job and example, and of the local cloud."""
    return [root / "requirements.txt", *_of_each_part(root, "requirements.txt")]


def read_lock(lock: Path) -> dict[str, Pin]:
    """The pins of a lock file by their packages' normalised names."""
    pins: dict[str, Pin] = {}
    for entry in lock.read_text().replace("\\\n", " ").splitlines():
        text, *hashes = entry.split("#")[0].split("--hash=")
        if text.strip():
            requirement = Requirement(text.strip())
            pins[canonicalize_name(requirement.name)] = Pin(requirement, len(hashes))
    return pins


def requirements_in(path: Path) -> list[Requirement]:
    """The requirements of a file that has one on each line."""
    lines = (line.split("#")[0].strip() for line in _lines(path))
    return [Requirement(line) for line in lines if line]


def development_requirements(root: Path) -> list[Requirement]:
    """The requirements of development: every dependency group, and those of each function, job and example."""
    project = tomllib.loads((root / "pyproject.toml").read_text())
    groups: Mapping[str, list[str]] = project["dependency-groups"]
    return [
        *(Requirement(text) for group in groups.values() for text in group),
        *(each for path in _of_each_part(root, "requirements.in") for each in requirements_in(path)),
    ]


def _holds_for(developed: Requirement, pinned: Requirement) -> bool:
    """Whether what is pinned is what was developed with, wherever it is installed: it may be so in fewer places."""
    return developed.specifier == pinned.specifier and developed.marker in (None, pinned.marker)


def _of_each_part(root: Path, name: str) -> list[Path]:
    return [path for part in LOCKED_APART for path in sorted(root.glob(f"{part}/{name}"))]


def _unmet(pins: Mapping[str, Pin], requirements: list[Requirement], lock: str) -> Iterator[str]:
    for pin in pins.values():
        if not pin.hashes:
            yield f"{lock}: {pin.requirement} has no hash"
    for wanted in requirements:
        found = pins.get(canonicalize_name(wanted.name))
        version = str(found.requirement.specifier).removeprefix("==") if found else None
        if version is None or not wanted.specifier.contains(version):
            yield f"{lock}: nothing pinned there meets {wanted}"


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:  # a picture, not a text
        return []

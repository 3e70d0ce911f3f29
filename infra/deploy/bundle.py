"""Makes the bundle of each function: a zip of the function and what it imports, the same byte for byte on any machine.

    python -m infra.deploy.bundle            # all functions
    python -m infra.deploy.bundle cap_spending

Path in the repository = path in the zip = import name. A ``main.py`` of one line at the top is what Cloud Run starts.
"""

import argparse
import ast
import functools
import hashlib
import io
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from infra.suite.automations import ROOT, load_functions

FOLDER = ROOT / "infra" / "terraform" / "dist"
OURS = ("functions", "shared")
PINS = "requirements.txt"
BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")
"""The fields of a statement with further statements: expressions, most of the code, import nothing."""
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can tell: files' own times differ from checkout to checkout."""


def read_sources(root: Path = ROOT) -> dict[str, bytes]:
    """By path in the repository, all that bundles are made of, as it is now."""
    folders = [Path(folder) for ours in OURS for folder, _, _ in os.walk(root / ours)]
    paths = (path for folder in folders for path in folder.iterdir() if path.suffix == ".py" or path.name == PINS)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def bundle(name: str, root: Path = ROOT) -> dict[str, bytes]:
    """The files of a function's bundle, by their paths in it."""
    return _bundle(name, read_sources(root))


def _bundle(name: str, sources: Mapping[str, bytes]) -> dict[str, bytes]:
    files = {path: sources[path] for path in _closure(f"functions.{name}.main", sources)}
    files["main.py"] = f"from functions.{name}.main import {name} as {name}\n".encode()
    files[PINS] = sources[f"functions/{name}/{PINS}"]
    return files


def zipped(files: dict[str, bytes]) -> bytes:
    """Files as a zip. They are stored as they are: what compressing makes of them depends on the version of zlib."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, content in sorted(files.items()):
            entry = zipfile.ZipInfo(path, EARLIEST)
            entry.create_system = 3  # Unix, on every machine
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def bundle_name(name: str, sources: Mapping[str, bytes]) -> str:
    """The name of the file of a function's bundle, which carries a hash of its content."""
    return _name_of(name, zipped(_bundle(name, sources)))


def _name_of(name: str, content: bytes) -> str:
    return f"{name}-{hashlib.sha256(content).hexdigest()[:16]}.zip"


def write_bundles(names: Iterable[str], folder: Path = FOLDER) -> dict[str, Path]:
    """Write the functions' bundles, each with its content's hash in its name, and take older ones away."""
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    sources = read_sources()
    for name in names:
        content = zipped(_bundle(name, sources))
        path = folder / _name_of(name, content)
        if not path.exists():
            fresh = path.with_suffix(".new")
            fresh.write_bytes(content)
            fresh.replace(path)  # it is there only when it is whole
        for old in folder.glob(f"{name}-{'[0-9a-f]' * 16}.zip"):
            if old != path:
                old.unlink()
        written[name] = path
    return written


def _closure(module: str, sources: Mapping[str, bytes]) -> list[str]:
    """The files of a module of ours, of all that it imports of ours, however deep, and of the packages around them."""
    found: dict[str, str | None] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        path = found[name] = _file_of(name, sources)
        if path:
            package = name.rpartition(".")[0]
            waiting += [package] if package else []
            waiting += _imports_in(sources[path])
    return sorted(path for path in found.values() if path)


def _file_of(module: str, sources: Mapping[str, bytes]) -> str | None:
    """The file of a module; None if it is none of ours, such as a name that is imported from one."""
    path = module.replace(".", "/")
    return next((file for file in (f"{path}.py", f"{path}/__init__.py") if file in sources), None)


@functools.cache
def _imports_in(source: bytes) -> tuple[str, ...]:
    """The modules that a file imports; functions share most of theirs."""
    return tuple(_imports(ast.parse(source).body))


def _imports(statements: Iterable[ast.AST]) -> Iterator[str]:
    """The modules that some code imports when it runs, and names imported from modules, which may be modules too."""
    for node in statements:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            for block in BLOCKS:
                yield from _imports(getattr(node, block, ()))


def main(arguments: list[str] | None = None) -> None:
    """Write bundles, and say where they are."""
    parser = argparse.ArgumentParser(prog="./deploy.sh bundle", description="Makes the bundles that are deployed.")
    parser.add_argument("functions", nargs="*", metavar="FUNCTION", help="all of them, if none is named")
    options = parser.parse_args(arguments)
    known = list(load_functions())
    for name in options.functions:
        if name not in known:
            parser.error(f"there is no function {name!r}: there are {', '.join(known)}")
    for path in write_bundles(options.functions or known).values():
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()

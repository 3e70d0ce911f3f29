"""A YAML file that a person has written: its data, and the line of each key, for errors that say where to look."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from shared import yaml12
from shared.errors import SettingsError, settings_error_of
from shared.settings import key_text
from shared.settings_words import nearest

MOST_BYTES = 1_000_000
"""Of a file that a person writes. A larger one was probably named by mistake."""


class YamlFile:
    """The data of a file, and where each of its keys is."""

    def __init__(self, path: Path, data: object, root: yaml.Node | None) -> None:
        self.path = path
        self.data = data
        self._root = root

    def has(self, key: str) -> bool:
        """Whether the file has the first part of a key such as ``cap_spending.budgets``."""
        return any(True for _ in _matches(self._root, key))

    def line_of(self, key: str) -> int:
        """The line of a key such as ``pools.training.wake[0].kind``; of what should contain it if it is missing."""
        return max(((depth, -line) for depth, line in _matches(self._root, key)), default=(0, -1))[1] * -1

    def mapping(self, expected: str) -> dict[str, object]:
        """The data, which must be a mapping. Raises ``SettingsError``."""
        if not isinstance(self.data, Mapping):
            found = "an empty file" if self.data is None else f"a {'list' if isinstance(self.data, list) else 'text'}"
            raise _file_error(self.path, f"found {found}", f"expected {expected}", line=1)
        return {key_text(name): value for name, value in self.data.items()}


@contextlib.contextmanager
def located_in(*files: YamlFile) -> Iterator[None]:
    """Add the file and the line to each ``SettingsError`` that is raised for a key of one of these files."""
    try:
        yield
    except SettingsError as error:
        raise settings_error_of([_located(one, files) for one in error.errors]) from None


def read_yaml_file(path: Path) -> YamlFile:
    """A file's data with its lines. Raises ``SettingsError`` for what cannot be read, and for each duplicate key."""
    text = _read(path)
    try:
        loader, root = yaml12.compose(text)
        if duplicates := list(_duplicates(path, root)):
            raise settings_error_of(duplicates)
        return YamlFile(path, yaml12.value_of(loader, root), root)
    except yaml12.TooLargeError as error:
        raise _file_error(path, str(error), "write it without that many aliases or levels") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        character = f"character U+{int(error.character):04X}"
        raise _file_error(path, f"{character} is not allowed", "delete it", value=character, line=line) from None
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(path, text, error) from None


def load_yaml(path: Path) -> object:
    """The value that a file holds. Raises ``SettingsError``."""
    return read_yaml_file(path).data


def _located(error: SettingsError, files: tuple[YamlFile, ...]) -> SettingsError:
    if error.file:
        return error
    file = next((one for one in files if one.has(error.key)), files[0])
    return error.located(str(file.path), file.line_of(error.key))


def _read(path: Path) -> str:
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MOST_BYTES else b""
    except OSError as error:
        raise _unreadable(path, error) from None
    if size > MOST_BYTES:
        raise _file_error(path, f"the file has {size / 1e6:.1f} MB", f"expected at most {MOST_BYTES / 1e6:.0f} MB")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = f"byte 0x{content[error.start]:02X}"
        raise _file_error(path, f"{byte} is not UTF-8", "save the file as UTF-8", value=byte, line=line) from None


def _unreadable(path: Path, error: OSError) -> SettingsError:
    reason = {
        FileNotFoundError: "no such file",
        IsADirectoryError: "it is a folder",
        PermissionError: "permission denied",
        NotADirectoryError: "no such folder",
    }.get(type(error), "the system cannot read it")
    near = ""
    if isinstance(error, FileNotFoundError) and path.parent.is_dir():
        near = nearest(path.name, [one.name for one in path.parent.iterdir() if one.is_file()])
    remedy = f"did you mean {path.parent / near}?" if near else "expected a YAML file"
    return SettingsError(str(path), None, "a YAML file", problem=f"cannot read {path}: {reason}", remedy=remedy)


def _file_error(path: Path, problem: str, remedy: str, *, value: object = None, line: int = 0) -> SettingsError:
    return SettingsError("", value, remedy, problem=problem, remedy=remedy, file=str(path), line=line)


def _duplicates(path: Path, root: yaml.Node | None) -> Iterator[SettingsError]:
    seen: set[int] = set()
    waiting = [("", root)] if root is not None else []
    while waiting:
        above, node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for first, again in yaml12.duplicate_keys(node):
                key = f"{above}.{again.value}".lstrip(".")
                remedy = f"delete one (the first is on line {first.start_mark.line + 1})"
                yield SettingsError(
                    key,
                    again.value,
                    "each key once",
                    problem=f"duplicate key {key}",
                    remedy=remedy,
                    file=str(path),
                    line=again.start_mark.line + 1,
                )
            waiting += [(f"{above}.{key.value}".lstrip("."), value) for key, value in node.value]
        else:
            waiting += [(f"{above}[{place}]", value) for place, value in enumerate(yaml12.children(node))]


def _syntax_error(path: Path, text: str, error: yaml.MarkedYAMLError) -> SettingsError:
    """The syntax error, in YAML's words."""
    said = error.problem or ""
    mark = error.problem_mark
    lines = text.splitlines() or [""]
    number = min(mark.line, len(lines) - 1) if mark else 0
    written = lines[number].strip()
    tabs = [place for place, line in enumerate(lines) if "\t" in line[: len(line) - len(line.lstrip())]]
    if "\\t" in said or (tabs and tabs[0] <= number):
        number, problem, remedy = tabs[0] if tabs else number, "tab in the indentation", "indent with spaces"
        written = lines[number].strip()
    elif "undefined alias" in said:
        problem, remedy = f"{said.removeprefix('found ')}", "define it with & before its first use"
    elif "<stream end>" in said or "end of stream" in said:
        number = error.context_mark.line if error.context_mark else number
        problem, remedy = f"bracket or quote of line {number + 1} is not closed", "close it"
    elif "constructor for the tag" in said:
        problem, remedy = f"tag in {written!r} is not supported", "remove the tag"
    elif "mapping values are not allowed" in said:
        problem, remedy = f"unexpected colon in {written!r}", "quote text that contains a colon, or indent the line"
    elif "another document" in said:
        problem, remedy = "second document", "expected one document: delete the `---` and what follows it"
    else:
        problem, remedy = f"cannot parse {written!r}", "check the indentation, brackets and quotes near this line"
    return _file_error(path, problem, remedy, value=written, line=number + 1)


def _matches(node: yaml.Node | None, key: str, depth: int = 0) -> Iterator[tuple[int, int]]:
    """The depth and the line of each part of a key that the nodes have; keys may have dots and brackets in them."""
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if isinstance(name, yaml.ScalarNode) and key.startswith(name.value) and name.value:
                rest = key[len(name.value) :]
                if not rest or rest[0] in ".[":
                    yield depth + 1, name.start_mark.line + 1
                    yield from _matches(value, rest.removeprefix("."), depth + 1)
            elif name.tag == yaml12.MERGE:
                yield from _matches(value, key, depth)
    elif isinstance(node, yaml.SequenceNode) and key.startswith("["):
        index, bracket, rest = key[1:].partition("]")
        if bracket and index.isdigit() and int(index) < len(node.value):
            item = node.value[int(index)]
            yield depth + 1, item.start_mark.line + 1
            yield from _matches(item, rest.removeprefix("."), depth + 1)

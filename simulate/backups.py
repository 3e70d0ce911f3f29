"""Runs `prune_backups` on buckets as they were listed: the real run, while observing, on the local cloud.

A listing is the answer of Cloud Storage's ``objects.list``:
https://cloud.google.com/storage/docs/json_api/v1/objects/list.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from functions.prune_backups.automation import AUTOMATION
from functions.prune_backups.settings import BackupSet, Settings
from localcloud import LocalCloud
from localcloud.storage.state import Zeros
from shared.decoding import converted
from shared.direct_clients import DirectClients
from shared.errors import SettingsError
from shared.report import Report
from shared.runtime import Runtime
from shared.settings import Configuration, Mode
from shared.watching import NoWatcher
from simulate.replay import PROJECT, run_tick

REMEDY = "export it with the command that ./deploy.sh simulate --print-export prints"
LARGEST_PAGE = 1000
DAY_SECONDS = 24 * 60 * 60


class _Object(msgspec.Struct, rename="camel"):
    name: str
    time_created: datetime
    size: int = 0
    metadata: dict[str, str] = {}
    temporary_hold: bool = False
    event_based_hold: bool = False
    custom_time: str = ""


class _Page(msgspec.Struct, rename="camel"):
    items: list[_Object] = []
    next_page_token: str = ""


def file_of(key: str) -> str:
    """The name of the file that has the listing of a set."""
    return f"backups-{key}.json"


def listing_commands(settings: Settings) -> Iterator[str]:
    """A command for each set, which writes its listing to the folder ``$DIR``; more than a page with ``gcloud``."""
    for key, one in settings.sets.items():
        prefix = shlex.quote(f"prefix={one.prefix}")
        yield (
            'curl -sSfG -H "Authorization: Bearer $(gcloud auth print-access-token)" '
            f"https://storage.googleapis.com/storage/v1/b/{one.bucket}/o --data-urlencode {prefix} "
            f'--data-urlencode maxResults={LARGEST_PAGE} > "$DIR/{file_of(key)}"'
        )


def backup_lines(folder: Path, settings: Settings, now: datetime | None) -> Iterator[str]:
    """The backups that would be kept and deleted in each listed set. Raises ``SettingsError`` for a bad file."""
    listed = {key: _objects(folder / file_of(key)) for key in settings.sets if (folder / file_of(key)).exists()}
    for key in settings.sets.keys() - listed.keys():
        yield f"prune_backups: {key} is not simulated: there is no {folder / file_of(key)}"
    if not any(listed.values()):
        return
    newest = max(one.time_created for objects in listed.values() for one in objects)
    sets = {key: settings.sets[key] for key in listed}
    report = _observed(msgspec.structs.replace(settings, sets=sets), listed, now or newest + timedelta(minutes=1))
    yield from report.table
    yield from (f"{one.scope} is refused: {one.reason}" for one in report.refusals)


def _observed(settings: Settings, listed: Mapping[str, list[_Object]], now: datetime) -> Report:
    cloud = LocalCloud(now=now)
    clients = DirectClients(PROJECT, cloud, watcher=NoWatcher())
    try:
        for bucket in sorted({one.bucket for one in settings.sets.values()}):
            cloud.storage.add_bucket(PROJECT, bucket)
        for key, objects in listed.items():
            for one in objects:
                _add(cloud, settings.sets[key], one)
        runtime = Runtime(clients, clock=cloud.clock.now, report=lambda _: None)
        return run_tick(AUTOMATION, Configuration(Mode.OBSERVE, settings), now, DAY_SECONDS, runtime)
    finally:
        clients.close()
        cloud.stop()


def _add(cloud: LocalCloud, settings: BackupSet, one: _Object) -> None:
    fields: dict[str, object] = {"metadata": one.metadata} if one.metadata else {}
    holds = {"temporaryHold": one.temporary_hold, "eventBasedHold": one.event_based_hold}
    fields |= {name: True for name, is_held in holds.items() if is_held}
    fields |= {"customTime": one.custom_time} if one.custom_time else {}
    cloud.storage.add_object(settings.bucket, one.name, Zeros(one.size), fields, created=one.time_created)


def _objects(path: Path) -> list[_Object]:
    """The objects of a file: a page, or all pages one after another."""
    text = path.read_text(encoding="utf-8").strip()
    pages, at, decoder = [], 0, json.JSONDecoder()
    try:
        while at < len(text):
            data, at = decoder.raw_decode(text, at)
            pages.append(converted(data, _Page, strict=False))
            at += len(text[at:]) - len(text[at:].lstrip())
    except ValueError as error:
        raise _wrong(path, f"this is no listing of a bucket ({error})", REMEDY) from None
    if not pages or pages[-1].next_page_token:
        raise _wrong(path, "the listing has another page, which is not in this file", "append it with its pageToken")
    return [one for page in pages for one in page.items]


def _wrong(path: Path, problem: str, remedy: str) -> SettingsError:
    return SettingsError("", str(path), remedy, problem=f"cannot read {path}: {problem}", remedy=remedy)

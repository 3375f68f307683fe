"""Kafka's jars, fetched once from Maven Central into the cache folder and checked against pinned digests.

`kafka_jars.json` maps Maven coordinates to SHA-256: Kafka's run-time dependencies as its POM names them, and
slf4j-simple, without which the broker would log nothing.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.resources import files
from pathlib import Path

from runledger.stack.errors import FetchError, explained_disk_errors

KAFKA_VERSION = "4.1.1"
_PARALLEL_DOWNLOADS = 6
_REQUEST_TIMEOUT_SECONDS = 20

Report = Callable[[str], None]
"""Takes one line for people: what is being done now."""


def pinned_jars() -> dict[str, str]:
    """Coordinates of every jar of the broker, with their SHA-256 digests."""
    jars: dict[str, str] = json.loads(files("runledger.stack").joinpath("kafka_jars.json").read_bytes())
    return jars


def fetch_jars(cache: Path, report: Report, jars: Mapping[str, str] | None = None) -> list[Path]:
    """Give the paths of all jars, in order of the class path; fetch what the cache lacks.

    Args:
        cache: the cache folder; jars lie in a folder per Kafka version.
        report: told the progress.
        jars: {coordinate: SHA-256}; the pinned ones by default.

    Raises:
        FetchError: no network, a mirror without the jar, or one that is not what was pinned.
        FolderError, DiskFullError: the cache cannot be written.
    """
    jars = pinned_jars() if jars is None else jars
    folder = cache / f"kafka-{KAFKA_VERSION}"
    paths = {coordinate: folder / _file_name(coordinate) for coordinate in jars}
    missing = [coordinate for coordinate, path in paths.items() if not path.exists()]
    if missing:
        with explained_disk_errors(cache):
            folder.mkdir(parents=True, exist_ok=True)
            _fetch(missing, jars, paths, report)
    return list(paths.values())


def _fetch(missing: list[str], jars: Mapping[str, str], paths: Mapping[str, Path], report: Report) -> None:
    folder = paths[missing[0]].parent
    # Each file is checked in a folder of this process's own and then moved: an interrupted or parallel download
    # never leaves half a jar in the cache.
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as staging,
        ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool,
    ):
        downloads = {pool.submit(_download, coordinate, Path(staging)): coordinate for coordinate in missing}
        try:
            for done, download in enumerate(as_completed(downloads), start=1):
                coordinate = downloads[download]
                path = download.result()
                _require_digest(coordinate, path, jars[coordinate])
                path.replace(paths[coordinate])
                report(f"Fetching Kafka {KAFKA_VERSION}: {done} of {len(downloads)} files")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _require_digest(coordinate: str, path: Path, pinned: str) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != pinned:
        raise FetchError(
            f"{coordinate} has the SHA-256 {digest}, not the pinned {pinned}; "
            "a proxy or mirror changed it: fetch from another network, or set RUNLEDGER_KAFKA to a running broker"
        )


def _download(coordinate: str, staging: Path) -> Path:
    # Imported here: a start with a full cache needs none of it.
    from jgo.maven import MavenContext  # noqa: PLC0415 - see above
    from requests import RequestException  # noqa: PLC0415 - see above

    context = MavenContext(repo_cache=staging, timeout=_REQUEST_TIMEOUT_SECONDS)
    try:
        return Path(context.create_dependency(coordinate).artifact.resolve())
    except (RequestException, RuntimeError) as error:
        raise FetchError(
            f"Kafka's file {coordinate} could not be fetched from Maven Central ({type(error).__name__}); check the "
            "network or the proxy variables, or set RUNLEDGER_KAFKA to a running broker"
        ) from error


def _file_name(coordinate: str) -> str:
    _, artifact, version = coordinate.split(":")
    return f"{artifact}-{version}.jar"

"""Where the stack keeps its data, and where the jars that every stack shares."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runledger.stack.errors import DiskFullError, explained_disk_errors

MIN_FREE_BYTES = 400 * 1024 * 1024
"""Jars (43 MB), a new database cluster (40 MB) and its first write-ahead logs, with room for a first replay."""

_APP = "runledger"


def default_data_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """RUNLEDGER_DATA_DIR, else the per-user data folder (XDG base directories; Application Support on macOS)."""
    if chosen := environ.get("RUNLEDGER_DATA_DIR"):
        return Path(chosen).expanduser().absolute()
    return _user_folder(environ, "XDG_DATA_HOME", ".local/share", "Library/Application Support")


def default_cache_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """RUNLEDGER_CACHE_DIR, else the per-user cache folder."""
    if chosen := environ.get("RUNLEDGER_CACHE_DIR"):
        return Path(chosen).expanduser().absolute()
    return _user_folder(environ, "XDG_CACHE_HOME", ".cache", "Library/Caches")


def _user_folder(environ: Mapping[str, str], variable: str, fallback: str, macos: str) -> Path:
    # The XDG specification: a relative value is invalid and to be ignored.
    base = environ.get(variable, "")
    if base.startswith("/"):
        return Path(base) / _APP
    home = Path(environ.get("HOME") or Path.home())
    return home / (macos if sys.platform == "darwin" else fallback) / _APP


@dataclass(frozen=True, slots=True)
class StackFolder:
    """The layout of one stack's data folder.

    Args:
        root: absolute path.
    """

    root: Path

    @property
    def kafka(self) -> Path:
        """Kafka's configuration and log folders."""
        return self.root / "kafka"

    @property
    def postgres(self) -> Path:
        """The database cluster."""
        return self.root / "postgres"

    @property
    def logs(self) -> Path:
        """What the processes print, one file per process and start."""
        return self.root / "logs"

    @property
    def state_file(self) -> Path:
        """What runs now; written by the supervisor alone."""
        return self.root / "state.json"

    @property
    def lock_file(self) -> Path:
        """Held by the supervisor for as long as it lives."""
        return self.root / "lock"

    @property
    def ports_file(self) -> Path:
        """The ports chosen at the first start."""
        return self.root / "ports.json"

    @property
    def vitals_ports_file(self) -> Path:
        """The ports on which the workers tell how they do."""
        return self.root / "vitals-ports.json"

    @property
    def password_file(self) -> Path:
        """The database password, readable by its owner alone."""
        return self.root / "postgres-password"

    @property
    def link_secret_file(self) -> Path:
        """With what links to the dashboard are signed, readable by its owner alone."""
        return self.root / "dashboard-secret"

    def prepare(self, min_free_bytes: int = MIN_FREE_BYTES) -> None:
        """Create the folder, for its owner alone, and see that it can be written.

        Raises:
            FolderError: it cannot be created or written.
            DiskFullError: less than `min_free_bytes` are free.
        """
        with explained_disk_errors(self.root):
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.logs.mkdir(mode=0o700, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                pass
        free = shutil.disk_usage(self.root).free
        if free < min_free_bytes:
            raise DiskFullError(
                f"{free // 2**20} MiB are free below {self.root}, {min_free_bytes // 2**20} MiB are needed; "
                "free some space or choose another folder with --data-dir"
            )

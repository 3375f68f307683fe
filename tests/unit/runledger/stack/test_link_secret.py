from __future__ import annotations

import stat
import time
from pathlib import Path

from runledger.analytics.dashboard.links import Links
from runledger.stack.identity import ProcessIdentity
from runledger.stack.link_secret import browser_link, settle_link_secret
from runledger.stack.state import StackState

STATE = StackState(supervisor=ProcessIdentity(pid=1, born_at=0), topic_prefix="t.", dashboard="http://127.0.0.1:5")


def test_the_secret_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "dashboard-secret"
    secret = settle_link_secret(path)
    assert len(secret) >= 32
    assert settle_link_secret(path) == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_opens_the_default_project(tmp_path: Path) -> None:
    path = tmp_path / "dashboard-secret"
    link = browser_link(STATE, path)
    assert link is not None
    address, _, token = link.partition("?token=")
    assert address == "http://127.0.0.1:5/login/link"
    assert Links(settle_link_secret(path), time.time).use(token) == "default"


def test_there_is_no_link_where_no_dashboard_runs(tmp_path: Path) -> None:
    assert browser_link(STATE.model_copy(update={"dashboard": None}), tmp_path / "dashboard-secret") is None

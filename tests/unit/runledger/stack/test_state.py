from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runledger.stack.addresses import Addresses
from runledger.stack.errors import StackError
from runledger.stack.identity import ProcessIdentity
from runledger.stack.state import Health, ServiceState, StackState, read_state, write_state


def state_with(*health: Health) -> StackState:
    ourselves = ProcessIdentity.of(os.getpid())
    assert ourselves is not None
    services = tuple(
        ServiceState(name=f"s{n}", process=ourselves, health=h, started_at=datetime.now(UTC), log=Path("/x"))
        for n, h in enumerate(health)
    )
    return StackState(
        phase="running",
        supervisor=ourselves,
        topic_prefix="t.",
        kafka="k:1",
        postgres="postgresql://p",
        services=services,
    )


def test_a_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    state = state_with("healthy", "backing_off")
    write_state(tmp_path / "state.json", state)
    assert read_state(tmp_path / "state.json") == state


def test_the_file_holds_a_password_so_others_may_not_read_it(tmp_path: Path) -> None:
    write_state(tmp_path / "state.json", state_with())
    assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text('{"phase": "running"')
    with pytest.raises(StackError, match="damaged"):
        read_state(tmp_path / "state.json")


def test_nothing_was_written_before_the_first_start(tmp_path: Path) -> None:
    assert read_state(tmp_path / "state.json") is None


def test_a_stack_is_healthy_only_when_every_part_is() -> None:
    assert state_with("healthy", "healthy").is_healthy
    assert not state_with("healthy", "backing_off").is_healthy
    assert not state_with("healthy").model_copy(update={"phase": "starting"}).is_healthy


def test_the_password_is_kept_out_of_the_representation() -> None:
    assert "postgresql://p" not in repr(state_with())


def test_the_doors_addresses_are_exported_where_they_run() -> None:
    doors = {"http": "http://h:1", "mcp": "http://h:2/mcp", "api": "http://h:3", "dashboard": "http://h:4"}
    exports = Addresses(kafka="k:1", postgres="p", **doors).exports()
    assert exports.splitlines()[2:] == [
        "export RUNLEDGER_HTTP=http://h:1",
        "export RUNLEDGER_MCP=http://h:2/mcp",
        "export RUNLEDGER_API=http://h:3",
        "export RUNLEDGER_DASHBOARD=http://h:4",
    ]


def test_addresses_print_as_quoted_exports() -> None:
    exports = Addresses(kafka="k:1", postgres="postgresql://u:p@h/d?a=1&b=2").exports()
    assert exports.splitlines() == [
        "export RUNLEDGER_KAFKA=k:1",
        "export RUNLEDGER_POSTGRES='postgresql://u:p@h/d?a=1&b=2'",
    ]

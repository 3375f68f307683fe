"""Where results are printed."""

from __future__ import annotations

import io

import pytest

from runledger.cli.screen import Screen, take_any_letter


def test_letters_that_a_terminal_does_not_have_end_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="latin-1"))
    take_any_letter()
    Screen().print("Zoë █ 艾")
    assert written.getvalue().decode("latin-1") == "Zoë ? ?\n"

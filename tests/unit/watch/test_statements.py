from __future__ import annotations

import re
from pathlib import Path

import runledger.watch
from runledger.watch.statements import statement


def test_every_statement_is_named_by_a_verb_and_stands_alone() -> None:
    names = [path.stem for path in (Path(runledger.watch.__file__).parent / "sql").glob("*.sql")]
    assert names
    for name in names:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", name)
        assert b";" not in re.sub(rb"--[^\n]*", b"", statement(name))

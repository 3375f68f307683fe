"""What docs/comparison.md says of our own measurements is what docs/benchmarks.md has."""

from __future__ import annotations

import re
from importlib.metadata import version

from tests import documents


def test_the_ratios_of_b11_are_about_those_that_the_page_names() -> None:
    said = " ".join(documents.text("docs/comparison.md").split())
    assert "about twenty times as many as either, or more" in said
    assert "took 300 runs" in said
    _, rows = documents.text("docs/benchmarks.md").split("| B11 |")
    found = dict(re.findall(r"^\| \| beside (arize-phoenix|mlflow) \|.*?\| ([\d.]+)x \|", rows, re.MULTILINE))
    assert all(float(ratio) >= 18 for ratio in found.values())  # about twenty
    assert len(found) == 2  # both of them
    assert re.search(r"\*\*B11\*\*.*peers runs: 300;", rows)


def test_our_version_and_the_number_of_faults_are_those_of_today() -> None:
    said = documents.text("docs/comparison.md")
    assert f"at version {version('runledger').rpartition('.')[0]}.\n" in said
    (faults,) = re.findall(r"tried against (\d+) kinds of fault", documents.text("docs/reliability.md"))
    assert f"; {faults} kinds of fault are [tried on it](reliability.md)" in said

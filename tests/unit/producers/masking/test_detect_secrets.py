"""Another tool's eyes: what detect-secrets finds by its form must be gone after masking."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.base import BasePlugin

from runledger.producers.masking import Masker
from tests.unit.producers.masking.samples import SECRETS

_BY_CHANCE = {"Base64 High Entropy String", "Hex High Entropy String", "Public IP (ipv4)"}
"""These flag any hash and any address: no secrets to us."""
_ALL: Mapping[str, type[BasePlugin]] = get_mapping_from_secret_type_to_class()
DETECTORS = [detector() for name, detector in _ALL.items() if name not in _BY_CHANCE]


def found(text: str) -> set[str]:
    return {
        secret
        for detector in DETECTORS
        for line in text.splitlines()
        for secret in detector.analyze_string(line)
        if secret and not secret.startswith("[masked:")
    }


@pytest.mark.parametrize(("kind", "before", "secret", "after"), SECRETS)
def test_nothing_is_left_for_another_detector(kind: str, before: str, secret: str, after: str) -> None:
    del kind
    masked = Masker().mask_text(f"{before}{secret}{after}")
    assert not {left for left in found(masked) if left in secret}


def test_the_other_detectors_do_find_something() -> None:
    assert sum(bool(found(f"{before}{secret}{after}")) for _, before, secret, after in SECRETS) >= 15

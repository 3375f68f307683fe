"""Free memory goes back to the machine."""

from __future__ import annotations

import platform

import psutil

from runledger.processors.heap import give_back

KIB, BLOCKS = 1024, 100_000
KEPT_OF = 100


def resident() -> int:
    return psutil.Process().memory_info().rss


def test_what_lies_free_between_what_is_held_goes_back() -> None:
    blocks = [bytes(KIB) for _ in range(BLOCKS)]
    kept = blocks[::KEPT_OF]  # one on every twenty-sixth page: nothing at the end of the heap is free
    del blocks
    before = resident()
    assert give_back() == (platform.libc_ver()[0] == "glibc")
    if platform.libc_ver()[0] == "glibc":
        assert resident() < before - BLOCKS * KIB // 2
    assert len(kept) == BLOCKS // KEPT_OF

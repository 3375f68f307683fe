"""Memory that lies free in the process, given back to the machine."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any


def give_back() -> bool:
    """Give back the pages of the C heap on which nothing stands; False where libc has no way.

    glibc gives back by itself what lies at the end of its heap alone. To restore a partition takes more than to hold
    it, and what is held afterwards stands among what is free again (malloc_trim(3)).
    """
    malloc_trim = _malloc_trim()
    if malloc_trim is None:
        return False
    malloc_trim(0)
    return True


@cache
def _malloc_trim() -> Any:  # noqa: ANN401  # a C function
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone
    if malloc_trim is not None:
        malloc_trim.argtypes = [ctypes.c_size_t]
    return malloc_trim

"""What is answered for spans of which some events were not delivered."""

from __future__ import annotations

import pytest

from runledger.access.http.errors import HttpError
from runledger.producers.doors import Emission
from runledger.producers.gateway.spans import TOO_LARGE, too_large

DELIVERED = Emission("delivered")
LARGE = Emission("refused", "takes too much", too_large=True)


def test_what_is_too_large_is_refused_for_good() -> None:
    assert too_large([DELIVERED, LARGE, LARGE]) == {TOO_LARGE: 2}
    assert too_large([DELIVERED]) == {}
    assert too_large([]) == {}


@pytest.mark.parametrize(
    "emission", [Emission("unknown", "late"), Emission("refused", "the queue is full")], ids=["late", "full"]
)
def test_anything_else_is_to_be_sent_again(emission: Emission) -> None:
    with pytest.raises(HttpError) as raised:
        too_large([DELIVERED, emission, LARGE])
    assert (raised.value.status, raised.value.headers["Retry-After"]) == (503, "1")

from __future__ import annotations

import pytest
from pydantic import ValidationError

from runledger.schemas.making import make
from runledger.schemas.run_events import FailureData


def test_a_made_record_equals_a_validated_one_and_is_frozen() -> None:
    validated = FailureData(summary="no")
    made = make(FailureData, set(FailureData.model_fields), dict(vars(validated)))
    assert made == validated
    assert made.model_dump_json() == validated.model_dump_json()
    assert made.model_copy(update={"summary": "yes"}).summary == "yes"
    with pytest.raises(ValidationError, match="frozen"):
        made.summary = "yes"  # type: ignore[misc]  # refused for that

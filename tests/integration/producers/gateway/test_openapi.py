"""The OpenAPI document says the truth: schemathesis sends what it allows and what it forbids."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from runledger.producers.gateway.app import create_app
from runledger.producers.gateway.settings import GatewaySettings
from runledger.schemas.values import MAX_UINT64, MIN_INT64

pytestmark = [pytest.mark.integration, pytest.mark.slow]
REJECTING = [207, 400, 401, 403, 404, 405, 408, 413, 415, 422]
"""Of a batch, the invalid event is refused in its own result (207)."""
api = schemathesis.openapi.from_dict(
    create_app(GatewaySettings()).openapi(),
    config=schemathesis.Config.from_dict(
        {
            "generation": {"deterministic": True},
            "checks": {"negative_data_rejection": {"expected-statuses": REJECTING}},
        }
    ),
)


@api.parametrize()
@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_every_answer_is_one_that_the_document_names(
    case: schemathesis.Case[Any], url: str, keys: dict[str, str]
) -> None:
    """All of schemathesis's checks, on valid and on invalid requests of every route."""
    if not has_wide_integer(case.body):
        case.call_and_validate(base_url=url, headers={"Authorization": f"Bearer {keys['acme']}"})


def has_wide_integer(value: object) -> bool:
    """Find what is refused and a JSON schema cannot forbid: 1e30 is a number that is fine, 10**30 is not."""
    match value:
        case int():
            return not MIN_INT64 <= value <= MAX_UINT64
        case dict():
            return any(map(has_wide_integer, value.values()))
        case list():
            return any(map(has_wide_integer, value))
        case _:
            return False

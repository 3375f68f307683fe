"""The OpenAPI document says the truth: schemathesis asks what it allows and what it forbids."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from runledger.analytics.http.app import create_app
from runledger.analytics.http.settings import ApiSettings

pytestmark = [pytest.mark.integration, pytest.mark.slow]
# A cursor and a time zone may look right and be none.
ACCEPTING = [200, 401, 403, 404, 422]
CONFIG = {
    "generation": {"deterministic": True},
    "checks": {"positive_data_acceptance": {"expected-statuses": ACCEPTING}},
}
api = schemathesis.openapi.from_dict(create_app(ApiSettings()).openapi(), config=schemathesis.Config.from_dict(CONFIG))
bounded = hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), database=None)


@api.parametrize()
@bounded
def test_every_answer_is_one_that_the_document_names(
    case: schemathesis.Case[Any], url: str, keys: dict[str, str]
) -> None:
    case.call_and_validate(base_url=url, headers={"Authorization": f"Bearer {keys['acme']}"})


@api.parametrize()
@bounded
def test_every_answer_to_a_caller_without_a_key_is_one_that_the_document_names(
    case: schemathesis.Case[Any], url: str
) -> None:
    case.call_and_validate(base_url=url)


def test_every_field_that_is_not_plain_is_described(url: str) -> None:
    document = requests.get(f"{url}/openapi.json", timeout=10).json()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query":
                    assert parameter["description"], (path, parameter["name"])

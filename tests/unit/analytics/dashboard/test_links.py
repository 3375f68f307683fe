from __future__ import annotations

from runledger.analytics.dashboard.links import LINK_SECONDS, Links, make_link
from tests.unit.analytics.dashboard.test_sessions import Clock

SECRET = "s" * 32


def token(now: float, secret: str = SECRET) -> str:
    return make_link("http://h:1", secret, now).partition("?token=")[2]


def test_a_link_works_once() -> None:
    links = Links(SECRET, Clock())
    made = token(0)
    assert links.use(made) == "default"
    assert links.use(made) is None
    assert links.use(token(0)) == "default"


def test_a_link_ends_after_ten_minutes_and_its_use_is_forgotten_then() -> None:
    clock = Clock()
    links = Links(SECRET, clock)
    made = token(0)
    assert links.use(made) == "default"
    late = token(0)
    clock.now = LINK_SECONDS
    assert links.use(late) is None
    assert links.use(made) is None


def test_a_link_of_another_secret_or_changed_opens_nothing() -> None:
    links = Links(SECRET, Clock())
    made = token(0)
    later = "9" + made
    for wrong in (token(0, "t" * 32), later, made[:-1], "", ".", "x.y.z", "\udcff"):
        assert links.use(wrong) is None

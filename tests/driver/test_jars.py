"""Cookie jars, rule by rule; `tests/browser/test_jar.py` holds the same rules against Chromium."""

from datetime import UTC, datetime, timedelta

import pytest

from mp_oauth_sandbox.driver.jars import CookieJar, site_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
APP = "http://localhost:8000"
OTHER = "http://127.0.0.1:8970/authorization"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def jar_with(*cookies: str, url: str = f"{APP}/app/set", clock: Clock | None = None) -> CookieJar:
    jar = CookieJar(now=clock or Clock())
    jar.store(url, cookies)
    return jar


@pytest.mark.parametrize(
    ("cookie", "sent"),
    [
        ("a=1; SameSite=Strict", None),
        ("a=1; SameSite=Lax", "a=1"),
        ("a=1", "a=1"),
        ("a=1; SameSite=None; Secure", "a=1"),
        ("a=1; SameSite=None", None),
    ],
)
def test_same_site_decides_what_comes_along_on_the_way_back(cookie: str, sent: str | None):
    assert jar_with(cookie).header(f"{APP}/app/x", initiator=OTHER) == sent


@pytest.mark.parametrize("cookie", ["a=1; SameSite=Lax", "a=1; SameSite=Strict"])
def test_a_post_from_another_site_carries_no_lax_cookie(cookie: str):
    jar = jar_with(cookie)

    assert jar.header(f"{APP}/app/x", method="POST", initiator=OTHER) is None
    assert jar.header(f"{APP}/app/x", method="POST", initiator=APP) == "a=1"


def test_a_cookie_without_same_site_survives_a_cross_site_post_for_two_minutes():
    clock = Clock()
    jar = jar_with("a=1", clock=clock)

    assert jar.header(f"{APP}/app/x", method="POST", initiator=OTHER) == "a=1"
    clock.now += timedelta(minutes=2)
    assert jar.header(f"{APP}/app/x", method="POST", initiator=OTHER) is None


def test_ports_do_not_separate_cookies_and_hosts_do():
    jar = jar_with("a=1; Path=/")

    assert jar.header("http://localhost:1/") == "a=1"
    assert jar.header("http://127.0.0.1:8000/") is None
    assert jar.header("http://sub.localhost:8000/") is None


def test_secure_cookies_are_kept_on_this_machine_and_not_on_plain_http_elsewhere():
    assert jar_with("a=1; Secure").header(f"{APP}/app/x") == "a=1"
    assert jar_with("a=1; Secure", url="http://shop.test/").header("http://shop.test/") is None
    jar = jar_with("a=1; Secure", url="https://shop.test/")
    assert jar.header("https://shop.test/") == "a=1"
    assert jar.header("http://shop.test/") is None


@pytest.mark.parametrize(
    ("cookie", "reached"),
    [
        ("a=1", {"/app", "/app/", "/app/x"}),
        ("a=1; Path=/app/", {"/app/", "/app/x"}),
        ("a=1; Path=/", {"/", "/app", "/app/", "/app/x", "/apples"}),
        ("a=1; Path=nonsense", {"/app", "/app/", "/app/x"}),
    ],
)
def test_a_cookie_goes_to_its_path_and_below(cookie: str, reached: set[str]):
    jar = jar_with(cookie)

    paths = {"/", "/app", "/app/", "/app/x", "/apples"}
    assert {path for path in paths if jar.header(APP + path)} == reached


def test_a_domain_cookie_goes_to_subdomains_and_no_foreign_one_is_taken():
    jar = jar_with("a=1; Domain=shop.test; Path=/", url="https://www.shop.test/")

    assert jar.header("https://api.shop.test/") == "a=1"
    assert jar_with("a=1; Domain=bank.test", url="https://www.shop.test/").header(APP) is None


def test_cookies_end_with_their_age_and_max_age_overrules_expires():
    clock = Clock()
    past = "Expires=Thu, 01 Jan 1970 00:00:00 GMT"
    jar = jar_with(f"a=1; Max-Age=60; {past}", f"b=1; {past}", "c=1; Max-Age=x", clock=clock)

    assert jar.header(f"{APP}/app/x") == "a=1; c=1"
    clock.now += timedelta(seconds=60)
    assert jar.header(f"{APP}/app/x") == "c=1"


def test_an_empty_age_deletes_what_was_there():
    jar = jar_with("a=1", "b=1", "a=; Max-Age=0")

    assert jar.header(f"{APP}/app/x") == "b=1"


def test_longer_paths_come_first():
    assert jar_with("a=1; Path=/", "b=1").header(f"{APP}/app/x") == "b=1; a=1"


@pytest.mark.parametrize(
    ("cookie", "kept"),
    [
        ("__Host-a=1; Secure; Path=/", True),
        ("__Host-a=1; Secure; Path=/; Domain=shop.test", False),
        ("__Host-a=1; Secure; Path=/app", False),
        ("__Secure-a=1", False),
    ],
)
def test_prefixes_are_promises(cookie: str, kept: bool):
    assert bool(list(jar_with(cookie, url="https://shop.test/"))) is kept


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("http://localhost:8000/a", "http://localhost"),
        ("http://127.0.0.1:8970", "http://127.0.0.1"),
        ("https://www.shop.test", "https://shop.test"),
        ("http://[::1]:8000/", "http://::1"),
    ],
)
def test_a_site_is_a_scheme_and_a_registrable_domain(url: str, site: str):
    assert site_of(url) == site

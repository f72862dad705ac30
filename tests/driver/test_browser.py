"""The browser without a screen."""

import httpx
import pytest

from mp_oauth_sandbox.driver.browser import Browser, Network, at_pointer
from mp_oauth_sandbox.driver.errors import IntegrationError
from mp_oauth_sandbox.driver.jars import CookieJar

HOME = "http://localhost:8000"


class Site(httpx.MockTransport):
    """Answers by path, and remembers what came."""

    def __init__(self, **answers: httpx.Response) -> None:
        self.seen: list[httpx.Request] = []
        self.answers = answers
        super().__init__(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return self.answers.get(request.url.path.strip("/"), httpx.Response(404))


def browser(site: Site) -> Browser:
    network = Network({HOME: site, "http://elsewhere.test": site})
    return Browser(network, jar=CookieJar(), home=HOME)


def redirect(status: int, location: str, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={"location": location, **headers})


def test_it_follows_redirects_with_the_cookies_they_set():
    site = Site(a=redirect(302, "/b", **{"set-cookie": "s=1"}), b=httpx.Response(200, text="here"))

    page = browser(site).go(f"{HOME}/a", hold=lambda _: False)

    assert (page.url, page.status, page.text) == (f"{HOME}/b", 200, "here")
    assert site.seen[1].headers["cookie"] == "s=1"


def test_it_stops_before_what_is_held():
    site = Site(a=redirect(302, "/callback?code=TG-1"))

    page = browser(site).go(f"{HOME}/a", hold=lambda url: "/callback" in url)

    assert page.held == f"{HOME}/callback?code=TG-1"
    assert len(site.seen) == 1
    assert "TG-1" not in repr(page)


@pytest.mark.parametrize(("status", "method"), [(302, "GET"), (303, "GET"), (307, "POST")])
def test_a_post_becomes_a_get_unless_the_redirect_says_otherwise(status: int, method: str):
    site = Site(a=redirect(status, "/b"), b=httpx.Response(200))

    browser(site).go(f"{HOME}/a", method="POST", form={"x": "1"}, hold=lambda _: False)

    assert site.seen[1].method == method
    assert site.seen[1].content == (b"x=1" if method == "POST" else b"")


def test_the_headers_of_a_login_go_to_the_integration_alone():
    site = Site(a=redirect(302, "http://elsewhere.test/b"))
    one = browser(site)
    one.headers = {"authorization": "Bearer ana"}

    one.go(f"{HOME}/a", hold=lambda _: False)

    assert [request.headers.get("authorization") for request in site.seen] == ["Bearer ana", None]


def test_a_login_by_cookie_header_stands_beside_the_jar():
    site = Site(a=httpx.Response(200, headers={"set-cookie": "s=1"}))
    one = browser(site)
    one.headers = {"cookie": "user=ana"}

    for _ in range(2):
        one.go(f"{HOME}/a", hold=lambda _: False)

    assert [request.headers["cookie"] for request in site.seen] == ["user=ana", "user=ana; s=1"]


def test_a_post_says_where_it_comes_from():
    site = Site(a=httpx.Response(200))

    browser(site).go(f"{HOME}/a", method="POST", initiator=f"{HOME}/form", hold=lambda _: False)

    assert site.seen[0].headers["origin"] == HOME


def test_a_dropped_connection_is_a_page_with_a_problem():
    def drop(request: httpx.Request) -> httpx.Response:
        raise httpx.RemoteProtocolError("gone", request=request)

    network = Network({HOME: httpx.MockTransport(drop)})

    page = Browser(network, jar=CookieJar(), home=HOME).go(f"{HOME}/a", hold=lambda _: False)

    assert (page.status, page.problem) == (0, "RemoteProtocolError: gone")


def test_redirects_for_ever_are_an_error():
    with pytest.raises(IntegrationError, match="/a redirects more than 20 times"):
        browser(Site(a=redirect(302, "/a"))).go(f"{HOME}/a", hold=lambda _: False)


@pytest.mark.parametrize(
    ("pointer", "value"), [("/a/b", 1), ("/list/1", "y"), ("/a~1b", 2), ("/~0", 3), ("", None)]
)
def test_a_json_pointer_finds_its_value(pointer: str, value: object):
    text = '{"a": {"b": 1}, "list": ["x", "y"], "a/b": 2, "~": 3}'

    found = at_pointer(text, pointer)

    assert found == value if pointer else isinstance(found, dict)


@pytest.mark.parametrize(
    ("text", "pointer"), [("no", "/a"), ("{}", "/a"), ("[]", "/0"), ("1", "/a")]
)
def test_a_json_pointer_to_nothing_is_a_lookup_error(text: str, pointer: str):
    with pytest.raises(LookupError):
        at_pointer(text, pointer)

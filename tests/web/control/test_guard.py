"""Safe though a toy: other sites, other hosts, other sessions and other people's logs."""

import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller

CALLBACK = "https://shop.example/mp/callback"
MARKUP = "\"'><script>alert(1)</script>"

PAGES = ["/", "/callback?code=a", "/authorization?client_id=1"]
CONTROL = ["/_sandbox/health", "/_sandbox/journal", "/_sandbox/nothing"]


def field(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found, page.text
    return found[1]


def form_of(page: httpx.Response) -> dict[str, str]:
    return {"request": field(page, "request"), "csrf": field(page, "csrf")}


def begin(browser: httpx.Client, sandbox: Sandbox, application: Application) -> dict[str, str]:
    return form_of(browser.get(sandbox.authorization_url(application, state="s")))


def sign_in(browser: httpx.Client, form: dict[str, str], seller: Seller) -> dict[str, str]:
    answer = browser.post("/authorization/sign-in", data=form | {"user_id": str(seller.user_id)})
    assert answer.status_code == 303
    return form_of(browser.get(answer.headers["location"]))


@pytest.fixture
def other_browser(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as client:
        yield client


# ---- Host, Origin, Sec-Fetch-Site, Content-Type ----


@pytest.mark.parametrize("path", PAGES + CONTROL)
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:80",
        "localhost@evil.example",
        "evil.example@localhost",
        "localhost/evil",
        "localhost:x",
        "[",
        "[::1",
        "0.0.0.0",  # noqa: S104 - as a browser may send it
        "",
    ],
)
def test_a_foreign_host_is_refused(client: httpx.Client, path: str, host: str) -> None:
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code == 403
    assert "Host" in answer.text


OWN = "http://localhost"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("GET", "/_sandbox/health"), ("POST", "/_sandbox/reset")]
)
@pytest.mark.parametrize("more", ["localhost", "evil.example", ""])
def test_a_second_host_is_never_trusted(
    client: httpx.Client, method: str, path: str, more: str
) -> None:
    answer = client.request(method, path, headers=[("Host", "localhost"), ("Host", more)])

    assert answer.status_code == 403
    assert "more than one Host field" in answer.text


@pytest.mark.parametrize(
    "fields",
    [
        [("Origin", OWN), ("Origin", "http://evil.example")],
        [("Origin", OWN), ("Origin", OWN)],
        [("Origin", f"{OWN}, http://evil.example")],
        [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "none, cross-site")],
    ],
)
def test_of_two_origins_none_is_trusted(
    client: httpx.Client,
    sandbox: Sandbox,
    application: Application,
    fields: list[tuple[str, str]],
) -> None:
    form = begin(client, sandbox, application)
    for path in ("/_sandbox/reset", "/authorization/sign-in"):
        answer = client.post(path, headers=fields, data=form)
        assert answer.status_code == 403
        assert fields[0][0] in answer.text


def test_of_two_control_tokens_none_is_trusted() -> None:
    own = ("Authorization", "Bearer right")
    with (
        Sandbox(live=False, control_token="right") as sandbox,
        httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as client,
    ):
        assert client.get("/_sandbox/journal", headers=[own]).status_code == 200
        for sent in ([own, own], [own, ("authorization", "Bearer wrong")]):
            answer = client.get("/_sandbox/journal", headers=sent)
            assert answer.status_code == 401
            assert "more than one Authorization field" in answer.text


def test_a_control_call_says_once_how_its_body_is_to_be_read(client: httpx.Client) -> None:
    json = ("Content-Type", "application/json")

    answer = client.put("/_sandbox/consent", headers=[json, json], content=b'{"mode":"auto"}')

    assert answer.status_code == 400
    assert "Content-Type" in answer.json()["message"]


@pytest.mark.parametrize("host", ["localhost", "LocalHost:8970", "127.0.0.1:1", "[::1]:8970"])
@pytest.mark.parametrize("path", ["/callback?code=a", "/_sandbox/health"])
def test_every_loopback_name_is_our_own(client: httpx.Client, path: str, host: str) -> None:
    assert client.get(path, headers={"Host": host}).status_code == 200


def test_a_further_host_is_allowed_by_name() -> None:
    with (
        Sandbox(live=False, allow_hosts=["Mp.Test"]) as sandbox,
        httpx.Client(transport=sandbox.transport(), base_url="http://mp.test:81") as client,
    ):
        assert client.get("/_sandbox/health").status_code == 200
        own = {"Origin": "http://mp.test:81"}
        assert client.post("/_sandbox/reset", headers=own).status_code == 200
        assert client.get("/_sandbox/health", headers={"Host": "b.test"}).status_code == 403


def test_the_api_answers_under_any_host(client: httpx.Client) -> None:
    headers = {"Host": "api.mercadopago.com", "Origin": "https://elsewhere.example"}
    assert client.get("/users/me", headers=headers).status_code == 401
    assert client.post("/oauth/token", json={}, headers=headers).json()["status"] == 400


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://localhost:1"},
    {"Origin": "https://localhost"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": ""},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", ["/reset", "/health", "/journal", "/nothing"])
def test_no_page_of_another_site_reaches_the_control_api(
    client: httpx.Client, sandbox: Sandbox, path: str, headers: dict[str, str]
) -> None:
    client.get("/users/me")
    for method in ("GET", "POST"):
        answer = client.request(method, f"/_sandbox{path}", headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
    assert len(sandbox.journal) == 1


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize(
    "path",
    ["/authorization/sign-in", "/authorization/sign-out", "/authorization/consent", "/callback"],
)
def test_no_page_of_another_site_sends_our_forms(
    client: httpx.Client, path: str, headers: dict[str, str]
) -> None:
    assert client.post(path, data={"csrf": "x"}, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {},
    ],
)
def test_our_own_pages_and_programs_reach_it(client: httpx.Client, headers: dict[str, str]) -> None:
    assert client.post("/_sandbox/reset", headers=headers).status_code == 200


# ---- the control token ----


def test_with_a_control_token_everything_but_health_asks_for_it() -> None:
    with (
        Sandbox(live=False, control_token="let-me-in") as sandbox,
        httpx.Client(transport=sandbox.transport(), base_url=sandbox.url) as client,
    ):
        assert client.get("/_sandbox/health").status_code == 200
        for sent in ("", "let-me-in", "Bearer let-me", "Bearer let-me-in-too", "Bearer \xff"):
            headers = {b"Authorization": sent.encode("latin-1")}
            answer = client.get("/_sandbox/journal", headers=headers)
            assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
            assert client.get("/_sandbox/nothing", headers=headers).status_code == 401
        headers = {b"Authorization": b"Bearer let-me-in"}
        assert client.get("/_sandbox/journal", headers=headers).status_code == 200
        assert client.get("/users/me").json()["code"] == "unauthorized"


def test_beyond_loopback_a_control_token_is_chosen() -> None:
    with Sandbox(host="0.0.0.0") as sandbox:  # noqa: S104 - what the test is about
        assert sandbox.control_token
        url = sandbox.url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        assert httpx.get(f"{url}/_sandbox/journal").status_code == 401
        assert httpx.get(f"{url}/_sandbox/health").status_code == 200
        headers = {"Authorization": f"Bearer {sandbox.control_token}"}
        assert httpx.get(f"{url}/_sandbox/journal", headers=headers).status_code == 200


def test_on_loopback_no_token_is_asked_for(sandbox: Sandbox) -> None:
    assert sandbox.control_token is None


# ---- sessions and forms ----


def test_the_cookie_is_for_this_server_alone(
    client: httpx.Client, sandbox: Sandbox, application: Application
) -> None:
    page = client.get(sandbox.authorization_url(application))
    cookie = page.headers["set-cookie"]
    assert cookie.startswith("__mp_sandbox_80=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    own = client.get("/callback?code=a").headers["set-cookie"]
    assert {"HttpOnly", "Path=/callback", "SameSite=lax"} <= set(own.split("; "))


def test_the_session_changes_at_sign_in_and_sign_out(
    client: httpx.Client, sandbox: Sandbox, application: Application, seller: Seller
) -> None:
    form = begin(client, sandbox, application)
    planted = client.cookies["__mp_sandbox_80"]
    signed_in = sign_in(client, form, seller)
    after = client.cookies["__mp_sandbox_80"]
    assert after != planted
    client.post("/authorization/sign-out", data=signed_in)
    assert client.cookies["__mp_sandbox_80"] not in {planted, after}


def test_a_planted_session_learns_nothing(
    client: httpx.Client,
    other_browser: httpx.Client,
    sandbox: Sandbox,
    application: Application,
    seller: Seller,
) -> None:
    form = begin(other_browser, sandbox, application)
    client.cookies.set("__mp_sandbox_80", other_browser.cookies["__mp_sandbox_80"])
    sign_in(client, form, seller)
    page = other_browser.get(sandbox.authorization_url(application))
    assert seller.nickname in page.text  # as one to choose, not as signed in
    assert "/authorization/sign-out" not in page.text


def test_a_made_up_session_is_not_taken_over(
    client: httpx.Client, sandbox: Sandbox, application: Application
) -> None:
    client.cookies.set("__mp_sandbox_80", "chosen-by-the-attacker", domain="localhost.local")
    page = client.get(sandbox.authorization_url(application))
    assert "chosen-by-the-attacker" not in page.headers["set-cookie"]


def test_a_form_needs_the_token_of_its_own_session(
    client: httpx.Client,
    other_browser: httpx.Client,
    sandbox: Sandbox,
    application: Application,
    seller: Seller,
) -> None:
    form = begin(client, sandbox, application)
    foreign = begin(other_browser, sandbox, application)
    for csrf in ("", "x", "é", "\ud800".encode("utf-8", "surrogatepass"), foreign["csrf"]):
        data = {"request": form["request"], "csrf": csrf, "user_id": str(seller.user_id)}
        answer = client.post("/authorization/sign-in", data=data)
        assert answer.status_code == 400
    mine = sign_in(client, form, seller)
    for path in ("/authorization/consent", "/authorization/sign-out"):
        data = {"request": mine["request"], "csrf": foreign["csrf"], "decision": "approve"}
        assert client.post(path, data=data).status_code == 400
    assert sandbox.journal.last().cause == "page_expired"


def test_a_second_tab_goes_on_after_a_sign_in_in_the_first(
    client: httpx.Client, sandbox: Sandbox, application: Application, seller: Seller
) -> None:
    first, second = begin(client, sandbox, application), begin(client, sandbox, application)
    sign_in(client, first, seller)
    mine = sign_in(client, second, seller)
    answer = client.post("/authorization/consent", data={**mine, "decision": "approve"})
    assert answer.status_code == 302
    assert "code=TG-" in answer.headers["location"]


def test_a_waiting_request_is_answered_by_its_own_session_only(
    client: httpx.Client,
    other_browser: httpx.Client,
    sandbox: Sandbox,
    application: Application,
    seller: Seller,
) -> None:
    victim = sign_in(client, begin(client, sandbox, application), seller)
    attacker = sign_in(other_browser, begin(other_browser, sandbox, application), seller)
    data = attacker | {"request": victim["request"], "decision": "approve"}
    assert other_browser.post("/authorization/consent", data=data).status_code == 400
    shown = other_browser.get(f"/authorization/consent?request={victim['request']}")
    assert shown.status_code == 400
    answer = client.post("/authorization/consent", data=victim | {"decision": "approve"})
    assert answer.status_code == 302


def test_a_request_is_answered_once(
    client: httpx.Client, sandbox: Sandbox, application: Application, seller: Seller
) -> None:
    form = sign_in(client, begin(client, sandbox, application), seller)
    assert client.post("/authorization/consent", data=form | {"decision": "approve"}).is_redirect
    for decision in ("approve", "cancel"):
        again = client.post("/authorization/consent", data=form | {"decision": decision})
        assert again.status_code == 400
        assert "location" not in again.headers


def test_nobody_approves_without_being_signed_in(
    client: httpx.Client, sandbox: Sandbox, application: Application
) -> None:
    form = begin(client, sandbox, application)
    answer = client.post("/authorization/consent", data=form | {"decision": "approve"})
    assert answer.status_code == 400
    assert "Inicia sesión para continuar" in answer.text


# ---- headers, redirects, escaping ----


def test_pages_carry_their_security_headers(
    client: httpx.Client, sandbox: Sandbox, application: Application, seller: Seller
) -> None:
    pages = [client.get(path) for path in PAGES]
    page = client.get(sandbox.authorization_url(application))
    sign_in(client, form_of(page), seller)
    consent = client.get(sandbox.authorization_url(application))
    for answer in (*pages, page, consent, client.post("/authorization/consent")):
        headers = answer.headers
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        policy = headers["content-security-policy"].split("; ")
        assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy)
        assert "<script>" not in answer.text
        assert " style=" not in answer.text
    for answer in (page, consent):
        policy = answer.headers["content-security-policy"]
        assert "form-action 'self' https://shop.example;" in policy
    assert "form-action 'self';" in pages[1].headers["content-security-policy"]


def test_answers_with_secrets_are_not_stored(
    client: httpx.Client, sandbox: Sandbox, application: Application, seller: Seller
) -> None:
    sandbox.auto_consent(seller)
    for answer in (
        client.get(sandbox.authorization_url(application)),
        client.post("/oauth/token", json={}),
        client.get("/_sandbox/applications"),
        client.get("/users/me"),
    ):
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "sent",
    [
        "https://evil.example/",
        f"{CALLBACK}/",
        f"{CALLBACK}?next=https://evil.example",
        f"{CALLBACK}#x",
        f"{CALLBACK}@evil.example",
        "https://shop.example.evil.example/mp/callback",
        "HTTPS://SHOP.EXAMPLE/mp/callback",
        "https://shop.example:443/mp/callback",
        "https://shop.example/mp/../mp/callback",
        "//evil.example",
        "javascript:alert(1)",
        f" {CALLBACK}",
        f"{CALLBACK}\r\nSet-Cookie: a=b",
        f"{CALLBACK}\0",
        CALLBACK.replace("e", "\u0435"),
    ],
)
@pytest.mark.parametrize("behaviour", ["error_page", "redirect"])
@pytest.mark.parametrize("mode", ["page", "auto", "deny"])
def test_nothing_is_sent_to_an_unregistered_uri(
    client: httpx.Client,
    sandbox: Sandbox,
    application: Application,
    seller: Seller,
    sent: str,
    behaviour: str,
    mode: str,
) -> None:
    sandbox.change_profile(bad_authorization_request=behaviour)
    if mode == "auto":
        sandbox.auto_consent(seller)
    elif mode == "deny":
        sandbox.deny()
    answer = client.get(sandbox.authorization_url(application, redirect_uri=sent))
    if behaviour == "error_page":
        assert answer.status_code == 400
        assert "location" not in answer.headers
    else:
        assert answer.headers["location"].startswith(f"{CALLBACK}?error=redirect_uri_mismatch&")
    assert "evil.example" not in answer.headers.get("location", "")


def test_no_other_parameter_chooses_where_to_go(
    client: httpx.Client, sandbox: Sandbox, application: Application, seller: Seller
) -> None:
    evil = quote("https://evil.example", safe="")
    extra = f"&next={evil}&return_to={evil}&lang={evil}&request={evil}"
    page = client.get(sandbox.authorization_url(application) + extra)
    form = form_of(page) | {"next": "https://evil.example", "user_id": str(seller.user_id)}
    answer = client.post("/authorization/sign-in", data=form)
    assert answer.headers["location"].startswith("/authorization/consent?request=")
    assert "evil" not in answer.headers["location"]


def test_no_header_can_be_injected(
    client: httpx.Client, sandbox: Sandbox, application: Application, seller: Seller
) -> None:
    sandbox.auto_consent(seller)
    state = "x\r\nSet-Cookie: evil=1\r\n\r\n<p>"
    answer = client.get(sandbox.authorization_url(application, state=state))
    assert answer.headers["location"].endswith(f"&state={quote(state, safe='')}")
    assert "set-cookie" not in answer.headers
    for path in ("/x%0d%0aSet-Cookie:%20evil=1", "/_sandbox/x%0d%0aSet-Cookie:%20evil=1"):
        assert "set-cookie" not in client.get(path).headers


def test_nothing_that_strangers_send_is_markup_on_a_page(
    client: httpx.Client, sandbox: Sandbox, seller: Seller
) -> None:
    hostile = sandbox.register_application(redirect_uris=[CALLBACK], name=MARKUP)
    own = sandbox.register_application(redirect_uris=["http://localhost/callback"], name="Own")
    form = begin(client, sandbox, hostile)
    encoded = quote(MARKUP, safe="")
    pages = [
        client.get("/"),
        client.get(sandbox.authorization_url(hostile)),
        client.get(sandbox.authorization_url(hostile, redirect_uri=CALLBACK + MARKUP)),
        client.get(f"/authorization?client_id={encoded}"),
        client.get(sandbox.authorization_url(hostile).replace("=code", f"={encoded}")),
        client.get(f"/authorization?client_id={own.client_id}&lang={encoded}"),
        client.get(f"/authorization/consent?request={encoded}&lang={encoded}"),
        client.post("/authorization/sign-in", data=form | {"nickname": MARKUP}),
        client.post("/authorization/sign-in", data={"csrf": MARKUP, "request": MARKUP}),
        client.get(f"/callback?code={encoded}&state={encoded}"),
        client.get(f"/callback?error={encoded}&error_description={encoded}&state={encoded}"),
    ]
    callback = {"csrf": field(pages[-2], "csrf"), "code": MARKUP, "state": MARKUP}
    pages.append(client.post("/callback", data=callback))
    sign_in(client, form, seller)
    pages += [client.get(sandbox.authorization_url(hostile)), client.get("/")]
    for page in pages:
        assert page.headers["content-type"].startswith("text/html"), page.text
        assert "<script>alert" not in page.text
        assert MARKUP not in page.text
    assert "&lt;script&gt;" in pages[1].text


def test_the_curl_line_is_safe_to_paste(client: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.register_application(redirect_uris=["http://localhost/callback"])
    page = client.get("/callback", params={"code": "x'; rm -rf ~ #"})
    quoted = """x'"'"'; rm"""
    assert quoted in page.text.replace("&#39;", "'").replace("&#34;", '"')


# ---- secrets ----


def test_no_secret_is_in_journal_repr_or_logs(
    client: httpx.Client,
    sandbox: Sandbox,
    seller: Seller,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    app = sandbox.register_application(
        redirect_uris=[CALLBACK, "http://localhost/callback"], client_secret="S3cret" * 5
    )
    state, verifier = "state-of-the-session-0123456789", "v" * 43
    secrets = [app.client_secret, app.access_token, state, verifier]
    page = client.get(
        sandbox.authorization_url(app, state=state)
        + f"&code_challenge={verifier}&code_challenge_method=plain"
    )
    form = sign_in(client, form_of(page), seller)
    secrets += [form["csrf"], client.cookies["__mp_sandbox_80"]]
    answer = client.post("/authorization/consent", data=form | {"decision": "approve"})
    code = httpx.URL(answer.headers["location"]).params["code"]
    secrets.append(code)
    mine = {"client_id": app.client_id, "client_secret": app.client_secret}
    redeem = mine | {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": verifier,
    }
    tokens = client.post("/oauth/token", json=redeem).json()
    renew = mine | {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    newer = client.post("/oauth/token", json=renew).json()
    for body in (tokens, newer):
        secrets += [body["access_token"], body["refresh_token"]]

    mistakes: list[dict[str, Any]] = [
        redeem,  # again
        renew,  # again
        redeem | {"client_secret": app.access_token},
        redeem | {"client_id": app.client_secret, "client_secret": app.client_id},
        redeem | {"client_id": tokens["access_token"]},
        redeem | {"code": newer["refresh_token"]},
        redeem | {"code": quote(f"{code}#"), "code_verifier": "short"},
        renew | {"refresh_token": code},
        renew | {"refresh_token": newer["access_token"]},
        redeem | {"grant_type": code},
        redeem | {"grant_type": tokens["access_token"]},
        redeem | {"redirect_uri": f"{CALLBACK}?code={code}"},
        redeem | {code: "1"},
        redeem | {"test_token": code},
        redeem | {"code": [code]},
    ]
    for profile in ("default", "strict", "legacy"):
        client.patch("/_sandbox/profile", json={"preset": profile})
        for body in mistakes:
            client.post("/oauth/token", json=body)
        client.post(f"/oauth/token?code={code}&{code}=1", json=mine)
        for token in (newer["access_token"], code, f"{tokens['access_token']}x"):
            client.get("/users/me", headers={"Authorization": f"Bearer {token}"})
            client.get(f"/users/me?access_token={token}")
            client.get(f"/v1/payments/{token}")
        for wrong in (app.client_secret, code):
            client.get(f"/authorization?client_id={wrong}&response_type={code}")
        client.get(sandbox.authorization_url(app) + f"&code_challenge={code}")
        url = sandbox.authorization_url(app)
        client.get(url.replace("response_type=code", f"response_type={code}"))
    callback = {"csrf": field(client.get(f"/callback?code={code}"), "csrf"), "code": code}
    client.post("/callback", data=callback)

    entries = sandbox.journal.entries()
    outputs = {
        "journal JSON": client.get("/_sandbox/journal?limit=1000").text,
        "entries": "\n".join(map(str, entries)),
        "repr of entries": "\n".join(map(repr, entries)),
        "encoded": msgspec.json.encode(entries).decode(),
        "front page": client.get("/").text,
        # httpx is the client: what it says of its own requests is not ours.
        "logs": "\n".join(
            one.getMessage() for one in caplog.records if not one.name.startswith("http")
        ),
        "repr": repr((sandbox, app, seller, sandbox.journal, sandbox.application(app.client_id))),
    }
    assert len(entries) > 50
    for name, output in outputs.items():
        for secret in secrets:
            assert secret not in output, f"{name} shows {secret}"
            assert quote(secret, safe="") not in output


def test_journal_lines_cannot_be_forged(client: httpx.Client, sandbox: Sandbox) -> None:
    forged = "%0a12:00:00 POST /oauth/token -> 200 tokens issued%1b[31m"
    client.get(f"/x{forged}")
    client.post("/oauth/token", json={"grant_type": "\n\x1b[31m", "client_id": "\n\x1b", "a": "b"})
    client.post(
        "/oauth/token",
        json={"grant_type": "\n\x1b[31m", "client_id": "\n\x1b", "client_secret": "\n\x1b"},
    )
    client.get(f"/authorization?client_id={forged}")
    for entry in sandbox.journal.entries():
        assert "\n" not in entry.line
        assert "\x1b" not in str(entry)
        assert str(entry).count("\n") <= 3

"""The pages as a browser meets them, without a browser."""

import html
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller

CALLBACK = "https://shop.example/mp/callback"

CANNOT_CONNECT = {
    "es": "La aplicación no está preparada para conectarse a Mercado Pago",
    "pt": "Desculpe, não foi possível conectar o aplicativo à sua conta",
    "en": "Sorry, the application cannot connect to your account",
}
START_AGAIN = {
    "es": "Esta solicitud ya fue respondida o no existe. Vuelve a empezar desde la aplicación.",
    "pt": "Esta solicitação já foi respondida ou não existe. "
    "Comece de novo a partir do aplicativo.",
    "en": "This request was already answered or does not exist. Start again from the application.",
}


def text(page: httpx.Response) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", page.text))


def language(page: httpx.Response) -> str:
    found = re.search(r'<html lang="(\w+)">', page.text)
    assert found
    return found[1]


def field(page: httpx.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found, page.text
    return html.unescape(found[1])


def send(
    browser: httpx.Client, page: httpx.Response, path: str, **fields: object
) -> httpx.Response:
    """Submit a form of a page, and follow a redirect within the sandbox."""
    data = {"request": field(page, "request"), "csrf": field(page, "csrf")}
    answer = browser.post(path, data=data | {name: str(value) for name, value in fields.items()})
    if answer.status_code == 303:
        return browser.get(answer.headers["location"])
    return answer


def sign_in(browser: httpx.Client, page: httpx.Response, **fields: object) -> httpx.Response:
    return send(browser, page, "/authorization/sign-in", **fields)


def decide(browser: httpx.Client, page: httpx.Response, decision: str) -> httpx.Response:
    return send(browser, page, "/authorization/consent", decision=decision)


def anchored(browser: httpx.Client, page: httpx.Response) -> str:
    """What the journal says where a page's link leads."""
    found = re.search(r'href="/#(entry-\d+)"', page.text)
    assert found, page.text
    entry = re.search(rf'id="{found[1]}".*?</li>', browser.get("/").text, re.DOTALL)
    assert entry
    return entry[0]


def nicknames(browser: httpx.Client) -> set[str]:
    """Of every seller, without the accounts that own applications."""
    found = browser.get("/_sandbox/sellers").json()["sellers"]
    return {one["nickname"] for one in found if not one["nickname"].startswith("PLATFORM")}


@pytest.fixture
def start(
    client: httpx.Client, sandbox: Sandbox, application: Application
) -> Callable[..., httpx.Response]:
    def begin(more: str = "", **headers: str) -> httpx.Response:
        url = sandbox.authorization_url(application, state="a state/ñ") + more
        return client.get(url, headers={name.replace("_", "-"): headers[name] for name in headers})

    return begin


Start = Callable[..., httpx.Response]

# ---- sign in, approve, cancel ----


def test_a_seller_signs_in_by_button_and_approves(
    client: httpx.Client, start: Start, seller: Seller, sandbox: Sandbox
) -> None:
    other = sandbox.create_seller(country="BR", nickname="LOJA")
    page = start()
    assert page.status_code == 200
    assert "Tienda Sol quiere conectarse" in text(page)
    for listed in (seller, other):
        assert f'value="{listed.user_id}"' in page.text
        assert listed.nickname in page.text
    consent = sign_in(client, page, user_id=seller.user_id)
    assert "Autorizar a Tienda Sol" in text(consent)
    assert "Sesión iniciada como ALMACEN" in text(consent)
    assert "Crear y consultar pagos en tu nombre" in text(consent)
    assert "volverás a https://shop.example." in text(consent)
    answer = decide(client, consent, "approve")
    assert answer.status_code == 302
    pattern = rf"{re.escape(CALLBACK)}\?code=TG-[0-9a-f]{{24}}-{seller.user_id}&state=(.*)"
    found = re.fullmatch(pattern, answer.headers["location"])
    assert found
    assert found[1] == quote("a state/ñ", safe="")


def test_a_seller_cancels(
    client: httpx.Client, start: Start, seller: Seller, sandbox: Sandbox
) -> None:
    consent = sign_in(client, start(), user_id=seller.user_id)
    answer = decide(client, consent, "cancel")
    assert answer.status_code == 302
    state = quote("a state/ñ", safe="")
    assert answer.headers["location"] == f"{CALLBACK}?error=access_denied&state={state}"
    entry = sandbox.journal.last()
    assert "a person pressed cancel on the page" in (entry.explanation or "")
    assert (entry.remedy or "").startswith("Nothing to repair")
    assert entry.facts["answered_by"] == "person"


def test_the_journal_tells_whether_a_person_has_approved(
    client: httpx.Client, start: Start, seller: Seller, sandbox: Sandbox
) -> None:
    decide(client, sign_in(client, start(), user_id=seller.user_id), "approve")
    entry = sandbox.journal.last()
    assert entry.facts["answered_by"] == "person"
    assert str(entry).endswith(f"code issued  seller {seller.user_id}")

    sandbox.change_profile(skip_repeated_consent=True)
    start()
    assert sandbox.journal.last().facts["answered_by"] == "earlier_consent"
    assert str(sandbox.journal.last()).endswith("  by an earlier consent")


def test_an_existing_nickname_signs_in_in_any_case(
    client: httpx.Client, start: Start, seller: Seller, sandbox: Sandbox
) -> None:
    consent = sign_in(client, start(), nickname=f"  {seller.nickname.lower()} ")
    assert str(seller.user_id) in text(consent)
    assert nicknames(client) == {"ALMACEN"}


@pytest.mark.parametrize(
    ("more", "accepted", "country"),
    [
        ("", "", "AR"),
        ("&lang=pt", "", "BR"),
        ("", "pt-BR, en;q=0", "BR"),
        ("&lang=en", "pt", "AR"),
    ],
)
def test_a_new_nickname_makes_a_seller_of_the_pages_language(
    client: httpx.Client, start: Start, more: str, accepted: str, country: str
) -> None:
    client.headers["accept-language"] = accepted
    consent = sign_in(client, start(more), nickname="Nueva Tienda")
    assert "Nueva Tienda" in text(consent)
    assert f"<span>{country}</span>" in consent.text


@pytest.mark.parametrize("nickname", ["", "   ", "<b>", "x" * 61, "a\0b", "\u202e"])
def test_a_nickname_that_cannot_be_is_asked_again(
    client: httpx.Client, start: Start, nickname: str, sandbox: Sandbox
) -> None:
    page = start()
    again = sign_in(client, page, nickname=nickname)
    assert again.status_code == 400
    assert "Este apodo no se puede usar" in text(again)
    assert 'aria-invalid="true"' in again.text
    assert nicknames(client) == set()
    assert sign_in(client, again, nickname="TIENDA").status_code == 200


@pytest.mark.parametrize("user_id", [1, "9" * 30, "²", "-1", "x"])
def test_a_seller_that_does_not_exist_is_asked_again(
    client: httpx.Client, start: Start, user_id: object
) -> None:
    assert sign_in(client, start(), user_id=user_id).status_code == 400


def test_a_seller_takes_another_account_for_the_same_request(
    client: httpx.Client, start: Start, seller: Seller, sandbox: Sandbox
) -> None:
    other = sandbox.create_seller(country="BR", nickname="LOJA")
    consent = sign_in(client, start(), user_id=seller.user_id)
    page = send(client, consent, "/authorization/sign-out")
    assert "Inicia sesión como vendedor de prueba" in text(page)
    consent = sign_in(client, page, user_id=other.user_id)
    answer = decide(client, consent, "approve")
    assert f"-{other.user_id}&" in answer.headers["location"]
    assert decide(client, consent, "approve").status_code == 400


def test_a_signed_in_seller_is_not_asked_to_sign_in_again(
    client: httpx.Client, start: Start, seller: Seller
) -> None:
    sign_in(client, start(), user_id=seller.user_id)
    assert "Autorizar a Tienda Sol" in text(start())


def test_applications_and_sellers_are_kept_apart(
    client: httpx.Client, start: Start, seller: Seller, sandbox: Sandbox
) -> None:
    second = sandbox.register_application(redirect_uris=["https://b.example/cb"], name="Libros")
    consent = sign_in(client, start(), user_id=seller.user_id)
    other = client.get(sandbox.authorization_url(second, state="two"))
    assert "Autorizar a Libros" in text(other)
    assert decide(client, other, "approve").headers["location"].startswith("https://b.example/cb?")
    assert decide(client, consent, "approve").headers["location"].startswith(CALLBACK)
    entries = [one for one in sandbox.journal.entries() if one.outcome == "code issued"]
    assert entries[0].client_id == second.client_id
    assert {one.user_id for one in entries} == {seller.user_id}


# ---- languages ----


@pytest.mark.parametrize(("lang", "words"), [("es", "Inicia"), ("pt", "Entre"), ("en", "Sign in")])
def test_the_language_is_chosen_by_parameter_and_kept_through_sign_in(
    client: httpx.Client, start: Start, seller: Seller, lang: str, words: str
) -> None:
    page = start(f"&lang={lang}", accept_language="pt" if lang == "es" else "es")
    assert (language(page), words in text(page)) == (lang, True)
    consent = sign_in(client, page, user_id=seller.user_id)
    assert language(consent) == lang
    out = send(client, consent, "/authorization/sign-out")
    assert language(out) == lang


def test_the_language_links_lead_to_the_same_request(
    client: httpx.Client, start: Start, seller: Seller
) -> None:
    page = start()
    links = re.findall(r'href="(/authorization/consent[^"]*)" lang="(\w+)"', page.text)
    assert [lang for _, lang in links] == ["es", "pt", "en"]
    english = client.get(html.unescape(links[2][0]))
    assert language(english) == "en"
    consent = sign_in(client, english, user_id=seller.user_id)
    assert "Authorize Tienda Sol" in text(consent)
    assert decide(client, consent, "approve").status_code == 302


def test_a_seller_of_brazil_reads_portuguese(
    client: httpx.Client, start: Start, sandbox: Sandbox
) -> None:
    page = start(accept_language="en")
    assert language(page) == "en"
    loja = sandbox.create_seller(country="BR", nickname="LOJA")
    assert language(sign_in(client, page, user_id=loja.user_id)) == "pt"


# ---- error pages ----


@pytest.mark.parametrize("lang", ["es", "pt", "en"])
def test_an_error_page_says_what_mercado_pago_says_and_why(
    client: httpx.Client, sandbox: Sandbox, application: Application, lang: str
) -> None:
    url = sandbox.authorization_url(application, redirect_uri=f"{CALLBACK}/")
    page = client.get(f"{url}&lang={lang}")
    assert page.status_code == 400
    assert language(page) == lang
    assert f"<h1>{CANNOT_CONNECT[lang]}</h1>" in page.text
    assert "redirect_uri differs by one character" in text(page)
    assert f"<code>{CALLBACK}/</code>" in page.text
    assert f"<code>{CALLBACK}</code>" in page.text
    assert "redirect_uri_not_registered" in anchored(client, page)


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("client_id=", "client_id=9", "application_unknown"),
        ("client_id=", "nothing=", "parameter_missing"),
        ("response_type=code", "x=y", "parameter_missing"),
        ("response_type=code", "response_type=token", "response_type_unsupported"),
        ("platform_id=mp", "client_id=1", "parameter_duplicated"),
        ("platform_id=mp", "state=%FF&state=x", "parameter_duplicated"),
        pytest.param(
            "platform_id=mp", f"state={'x' * 8193}", "parameter_malformed", id="long state"
        ),
        ("platform_id=mp", "code_challenge=short", "challenge_malformed"),
    ],
)
def test_every_bad_request_ends_on_the_error_page(
    client: httpx.Client,
    sandbox: Sandbox,
    application: Application,
    old: str,
    new: str,
    cause: str,
) -> None:
    page = client.get(sandbox.authorization_url(application).replace(old, new))
    assert page.status_code == 400
    assert CANNOT_CONNECT["es"] in text(page)
    assert cause in anchored(client, page)


@pytest.mark.parametrize("mode", ["page", "auto"])
def test_a_collaborator_cannot_authorize(
    client: httpx.Client, start: Start, seller: Seller, sandbox: Sandbox, mode: str
) -> None:
    operator = sandbox.create_seller(nickname="OPERADOR", collaborator_of=seller)
    if mode == "auto":
        sandbox.auto_consent(operator)
        page = start()
    else:
        page = start()
        assert "colaborador" in text(page)
        page = sign_in(client, page, user_id=operator.user_id)
    assert page.status_code == 400
    assert "invalid_operator_user_id" in text(page)
    assert "Una cuenta de colaborador no puede autorizar aplicaciones" in text(page)
    assert "OPERADOR" in anchored(client, page)


def test_a_browser_does_not_stay_with_a_collaborator(
    client: httpx.Client, start: Start, seller: Seller, sandbox: Sandbox
) -> None:
    operator = sandbox.create_seller(nickname="OPERADOR", collaborator_of=seller)
    sign_in(client, start(), user_id=operator.user_id)
    consent = sign_in(client, start(), user_id=seller.user_id)
    assert decide(client, consent, "approve").status_code == 302


def test_after_a_collaborator_another_seller_can_sign_in_in_the_same_browser(
    client: httpx.Client, start: Start, seller: Seller, sandbox: Sandbox
) -> None:
    operator = sandbox.create_seller(nickname="OPERADOR", collaborator_of=seller)
    assert sign_in(client, start(), user_id=operator.user_id).status_code == 400
    page = sign_in(client, start(), user_id=seller.user_id)
    assert page.status_code == 200


# ---- judged again ----


@pytest.mark.parametrize("decision", ["approve", "cancel"])
@pytest.mark.parametrize("change", ["redirect URI removed", "application deleted"])
def test_the_request_is_judged_again_when_the_answer_comes(
    client: httpx.Client,
    start: Start,
    seller: Seller,
    sandbox: Sandbox,
    application: Application,
    change: str,
    decision: str,
) -> None:
    consent = sign_in(client, start("&lang=pt"), user_id=seller.user_id)
    if change == "application deleted":
        sandbox.delete_application(application)
    else:
        sandbox.update_application(
            application.client_id, lambda app: replace(app, redirect_uris=("https://b.example/",))
        )
    page = decide(client, consent, decision)
    assert page.status_code == 400
    assert "location" not in page.headers
    assert CANNOT_CONNECT["pt"] in text(page)


@pytest.mark.parametrize("path", ["/authorization/sign-in", "/authorization/sign-out"])
def test_a_deleted_application_is_noticed_on_the_way(
    client: httpx.Client,
    start: Start,
    seller: Seller,
    sandbox: Sandbox,
    application: Application,
    path: str,
) -> None:
    page = start()
    sandbox.delete_application(application)
    page = send(client, page, path, user_id=seller.user_id)
    assert page.status_code == 400
    assert CANNOT_CONNECT["es"] in text(page)


# ---- consent modes ----


def test_auto_consent_answers_at_once_as_the_configured_seller(
    start: Start, seller: Seller, sandbox: Sandbox
) -> None:
    sandbox.auto_consent(seller)
    assert f"-{seller.user_id}&" in start().headers["location"]


def test_auto_consent_prefers_whoever_is_signed_in(
    client: httpx.Client, start: Start, seller: Seller, sandbox: Sandbox
) -> None:
    other = sandbox.create_seller(nickname="OTRA")
    sign_in(client, start(), user_id=other.user_id)
    sandbox.auto_consent(seller)
    assert f"-{other.user_id}&" in start().headers["location"]


def test_in_deny_mode_everybody_is_refused(start: Start, seller: Seller, sandbox: Sandbox) -> None:
    sandbox.deny()
    assert start().headers["location"].startswith(f"{CALLBACK}?error=access_denied")


def test_consent_given_once_may_be_skipped(
    client: httpx.Client, start: Start, seller: Seller, sandbox: Sandbox
) -> None:
    decide(client, sign_in(client, start(), user_id=seller.user_id), "approve")
    assert start().status_code == 200
    sandbox.change_profile(skip_repeated_consent=True)
    assert start().status_code == 302
    client.cookies.clear()
    page = start()
    assert page.status_code == 200
    data = {name: field(page, name) for name in ("request", "csrf")} | {"nickname": "ALMACEN"}
    onward = client.post("/authorization/sign-in", data=data).headers["location"]
    answer = client.get(onward)
    assert answer.headers["location"].startswith(f"{CALLBACK}?code=")
    assert client.get(onward).status_code == 400


# ---- what leads nowhere any more ----


@pytest.mark.parametrize("lang", ["es", "pt", "en"])
def test_after_a_reset_old_pages_say_start_again(
    client: httpx.Client, start: Start, seller: Seller, lang: str
) -> None:
    consent = sign_in(client, start(), user_id=seller.user_id)
    client.headers["accept-language"] = lang
    client.post("/_sandbox/reset")
    assert decide(client, consent, "approve").status_code == 400
    page = client.get(f"/authorization/consent?request={field(consent, 'request')}")
    assert page.status_code == 400
    assert START_AGAIN[lang] in text(page)


def test_an_answered_request_says_so_in_its_own_language(
    client: httpx.Client, start: Start, seller: Seller
) -> None:
    consent = sign_in(client, start("&lang=pt"), user_id=seller.user_id)
    decide(client, consent, "cancel")
    assert START_AGAIN["es"] in text(decide(client, consent, "approve"))


def test_a_form_without_its_session_says_that_it_has_expired(
    client: httpx.Client, start: Start, seller: Seller
) -> None:
    consent = sign_in(client, start(), user_id=seller.user_id)
    client.cookies.clear()
    assert "Este formulario venció" in text(decide(client, consent, "approve"))


def test_a_decision_that_is_neither_leaves_the_request_open(
    client: httpx.Client, start: Start, seller: Seller
) -> None:
    consent = sign_in(client, start(), user_id=seller.user_id)
    assert decide(client, consent, "perhaps").status_code == 400
    assert decide(client, consent, "approve").status_code == 302


# ---- the sandbox's own pages ----


@pytest.fixture
def built_in(sandbox: Sandbox) -> Application:
    return sandbox.register_application(redirect_uris=[f"{sandbox.url}/callback"], name="Own")


@pytest.fixture
def arrived(
    client: httpx.Client, sandbox: Sandbox, built_in: Application, seller: Seller
) -> httpx.Response:
    sandbox.auto_consent(seller)
    location = client.get(sandbox.authorization_url(built_in, state="my state")).headers["location"]
    return client.get(location)


def test_the_built_in_callback_shows_what_arrived(
    arrived: httpx.Response, built_in: Application
) -> None:
    code = field(arrived, "code")
    assert f"<code>{code}</code>" in arrived.text
    assert "<code>my state</code>" in arrived.text
    assert "curl -s http://localhost/oauth/token" in text(arrived)
    for word in (code, built_in.client_id, built_in.client_secret):
        assert word in text(arrived)


def test_the_built_in_callback_exchanges_the_code(
    client: httpx.Client, arrived: httpx.Response, sandbox: Sandbox
) -> None:
    data = {name: field(arrived, name) for name in ("code", "state", "csrf")}
    done = client.post("/callback", data=data)
    assert '"access_token": "APP_USR-' in text(done)
    assert "<code>my state</code>" in done.text
    again = client.post("/callback", data=data)
    assert '"error": "invalid_grant"' in text(again)
    assert sandbox.journal.last().cause == "code_already_redeemed"
    assert client.post("/callback", data=data | {"csrf": "x"}).status_code == 403
    del data["code"]
    assert "code is a required parameter" in text(client.post("/callback", data=data))


def exchanged(client: httpx.Client, arrived: httpx.Response) -> httpx.Response:
    data = {name: field(arrived, name) for name in ("code", "state", "csrf")}
    return client.post("/callback", data=data)


def test_the_entry_of_the_built_in_callback_s_exchange_says_whose_and_what_was_issued(
    client: httpx.Client, arrived: httpx.Response, sandbox: Sandbox, built_in: Application
) -> None:
    consent = sandbox.journal.last(kind="authorization")

    done = exchanged(client, arrived)

    entry = sandbox.journal.last(kind="token")
    assert (entry.client_id, entry.user_id) == (built_in.client_id, consent.user_id)
    assert (entry.grant, entry.carried) == (consent.grant, consent.got)
    assert set(entry.got) == {"access_token", "refresh_token"}
    assert entry.delivery == "delivered"
    issued, _ = json.JSONDecoder().raw_decode(text(done), text(done).index('{\n  "access_token"'))
    explained = sandbox.explain(issued["access_token"])
    assert explained.facts["entries"] == str(entry.seq)


def test_the_built_in_callback_s_exchange_meets_an_armed_refusal(
    client: httpx.Client, arrived: httpx.Response, sandbox: Sandbox
) -> None:
    sandbox.faults.add("refuse", on="exchange")

    refused = exchanged(client, arrived)

    assert '"access_token"' not in text(refused)
    assert "refuse" in sandbox.journal.last(kind="token").faults[0]
    sandbox.faults.assert_all_reached()
    assert '"access_token"' in text(exchanged(client, arrived))


@pytest.mark.parametrize(
    ("fault", "redeemed"), [("lose-response", True), ("drop-before-commit", False)]
)
def test_the_built_in_callback_shows_that_an_answer_was_lost(
    client: httpx.Client, arrived: httpx.Response, sandbox: Sandbox, fault: str, redeemed: bool
) -> None:
    sandbox.faults.add(fault, on="exchange")

    lost = exchanged(client, arrived)

    assert "no answer: a fault hung up" in text(lost)
    assert '"access_token"' not in text(lost)
    entry = sandbox.journal.last(kind="token")
    assert (entry.delivery, bool(entry.got)) == ("dropped", redeemed)


def test_a_browser_that_leaves_before_the_built_in_callback_s_answer_has_not_heard_it() -> None:
    with Sandbox() as sandbox, httpx.Client(base_url=sandbox.url) as browser:
        application = sandbox.register_application(redirect_uris=[f"{sandbox.url}/callback"])
        sandbox.auto_consent(sandbox.create_seller())
        url = sandbox.authorization_url(application)
        arrived = browser.get(browser.get(url).headers["location"])
        sandbox.faults.add("slow", on="exchange", seconds=0.3)
        data = {name: field(arrived, name) for name in ("code", "csrf")}

        with pytest.raises(httpx.ReadTimeout):
            browser.post("/callback", data=data, timeout=0.1)

        entry, end = sandbox.journal.last("token"), time.monotonic() + 30
        while entry.delivery == "pending":
            assert time.monotonic() < end
            threading.Event().wait(0.01)
        assert entry.delivery == "disconnected"


def test_the_built_in_callback_shows_a_denial(client: httpx.Client) -> None:
    page = client.get("/callback?error=access_denied&error_description=No+thanks&state=s")
    assert "access_denied" in text(page)
    assert "No thanks" in text(page)
    assert "<form" not in page.text
    assert client.get("/callback").status_code == 200


def test_the_built_in_callback_belongs_to_whoever_registered_it(client: httpx.Client) -> None:
    page = client.get("/callback?code=TG-1")
    assert "curl" not in text(page)
    data = {name: field(page, name) for name in ("code", "csrf")}
    refused = client.post("/callback", data=data)
    assert refused.status_code == 403
    assert "no application has registered http://localhost/callback" in refused.text


def test_the_front_page_links_an_application_and_lists_the_journal(
    client: httpx.Client, application: Application
) -> None:
    client.get("/users/me")
    page = client.get("/")
    assert page.status_code == 200
    assert application.client_id in text(page)
    assert CALLBACK in text(page)
    assert "GET /users/me" in text(page)
    assert 'id="entry-1"' in page.text
    link = re.search(r'class="button primary" href="([^"]*)"', page.text)
    assert link
    assert client.get(html.unescape(link[1])).status_code == 200
    for path in re.findall(r'(?:href|src)="(/_sandbox/[^"]*)"', page.text):
        assert client.get(path).status_code == 200, path


def test_the_front_page_stands_without_any_application(client: httpx.Client) -> None:
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("path", ["/", "/callback?code=a", "/authorization/consent"])
def test_a_head_request_has_the_headers_of_a_get(
    client: httpx.Client, application: Application, path: str
) -> None:
    head, get = client.head(path), client.get(path)
    assert head.status_code == get.status_code
    assert head.content == b""
    assert head.headers["content-type"] == get.headers["content-type"]


def test_a_form_that_came_too_late_is_explained_and_in_the_journal(
    client: httpx.Client, start: Start, seller: Seller, sandbox: Sandbox
) -> None:
    page = start()
    sandbox.reset()
    late = sign_in(client, page, user_id=seller.user_id)
    assert late.status_code == 400
    assert "a reset came in between" in text(late)
    assert sandbox.journal.last().cause == "page_expired"


def test_a_head_request_gets_no_code(
    client: httpx.Client, application: Application, seller: Seller, sandbox: Sandbox
) -> None:
    sandbox.auto_consent(seller)
    answer = client.head(sandbox.authorization_url(application))
    assert "location" not in answer.headers
    assert [entry.kind for entry in sandbox.journal] == ["control"]


def test_a_redirect_uri_with_an_ipv6_host_is_allowed_by_its_scheme(
    client: httpx.Client, seller: Seller, sandbox: Sandbox
) -> None:
    application = sandbox.register_application(redirect_uris=["http://[::1]:8000/cb"])
    page = client.get(sandbox.authorization_url(application))
    assert "form-action 'self' http:;" in page.headers["content-security-policy"]

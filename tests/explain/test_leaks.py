"""A text is searched for every secret of the sandbox, in the forms in which one gets out."""

import base64
import html
import json
from urllib.parse import quote

import httpx
import pytest

from mp_oauth_sandbox import Application, Sandbox, Seller, Webhook
from tests.explain.conftest import CALLBACK


@pytest.fixture
def secrets(sandbox: Sandbox, application: Application, seller: Seller) -> dict[str, str]:
    """What one seller's linking has made, by kind."""
    sandbox.auto_consent(seller)
    with httpx.Client(transport=sandbox.transport()) as http:
        location = http.get(sandbox.authorization_url(application)).headers["location"]
        code = httpx.URL(location).params["code"]
        tokens = http.post(
            f"{sandbox.url}/oauth/token",
            json={
                "grant_type": "authorization_code",
                "client_id": application.client_id,
                "client_secret": application.client_secret,
                "code": code,
                "redirect_uri": CALLBACK,
            },
        ).json()
    return {
        "code": code,
        "access_token": tokens["access_token"],
        "refresh_token": tokens["refresh_token"],
        "client_secret": application.client_secret,
    }


def search(client: httpx.Client, text: str) -> list[dict[str, str]]:
    answer = client.post("/_sandbox/leaks", json={"text": text})
    assert answer.status_code == 200, answer.text
    return answer.json()["leaks"]


def each_letter(secret: str) -> str:
    return "".join(f"%{ord(letter):02X}" for letter in secret)


FORMS = {
    "plain": lambda secret: secret,
    "in a query": lambda secret: f"/cb?code={quote(secret)}&state=1",
    "url": each_letter,
    "url twice": lambda secret: quote(each_letter(secret), safe=""),
    "html": lambda secret: "".join(f"&#{ord(letter)};" for letter in secret),
    "base64": lambda secret: base64.b64encode(f"1234567890:{secret}".encode()).decode(),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(f"ÿ{secret}".encode()).decode(),
    "base64 without padding, glued": lambda secret: (
        "x" + base64.b64encode(secret.encode()).decode().rstrip("=") + "."
    ),
    "base64 in a URL": lambda secret: quote(base64.b64encode(secret.encode()).decode(), safe=""),
    "in JSON": lambda secret: json.dumps({"token": secret, "more": [secret]}),
    "cut off": lambda secret: secret[: -len(secret) // 4] if len(secret) == 32 else secret[:-8],
    "in HTML text": lambda secret: f"<p>{html.escape(secret)}</p>",
}


@pytest.mark.parametrize("kind", ["code", "access_token", "refresh_token", "client_secret"])
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_found_in_any_form(
    client: httpx.Client, sandbox: Sandbox, secrets: dict[str, str], kind: str, form: str
) -> None:
    secret = secrets[kind]

    found = search(client, f"before\n{FORMS[form](secret)} after")

    label = sandbox._engine.mint.label(secret)
    encoding = next((one for one in ("base64", "url", "html") if form.startswith(one)), "plain")
    assert found == [{"label": label, "kind": kind, "encoding": encoding}]


def test_sixteen_characters_of_what_is_random_are_enough_and_fifteen_are_not(
    client: httpx.Client, secrets: dict[str, str]
) -> None:
    random = secrets["access_token"].split("-")[3]

    for start in range(len(random) - 15):
        assert search(client, f"...{random[start : start + 16]}...")
    assert search(client, random[3:18]) == []


def test_what_is_public_is_no_leak(
    client: httpx.Client, application: Application, seller: Seller, secrets: dict[str, str]
) -> None:
    public = f"{application.client_id} {application.public_key} {seller.user_id} {CALLBACK}"
    labels = [entry.explain() for entry in ()]

    assert search(client, f"{public} {labels} TG-...#1a2b3c APP_USR-... {'0' * 64}") == []


def test_the_journal_s_own_text_holds_no_secret(
    client: httpx.Client, sandbox: Sandbox, secrets: dict[str, str]
) -> None:
    assert search(client, client.get("/_sandbox/journal").text) == []


def test_of_codes_made_in_the_same_second_the_one_that_leaked_is_named(
    client: httpx.Client, sandbox: Sandbox, application: Application, secrets: dict[str, str]
) -> None:
    sandbox.clock.freeze()
    url = sandbox.authorization_url(application)
    codes = [httpx.URL(client.get(url).headers["location"]).params["code"] for _ in range(20)]

    found = search(client, f"log: {codes[7]}")

    assert [one["label"] for one in found] == [sandbox._engine.mint.label(codes[7])]


def test_a_spent_code_and_a_replaced_secret_are_secrets_still(
    client: httpx.Client, sandbox: Sandbox, application: Application, secrets: dict[str, str]
) -> None:
    rotated = sandbox.rotate_secret(application)

    found = search(client, f"{application.client_secret} {rotated.client_secret}")

    assert [one["kind"] for one in found] == ["client_secret", "client_secret"]


def test_a_chosen_secret_is_found_whole_and_one_like_a_word_is_not_looked_for(
    client: httpx.Client, sandbox: Sandbox
) -> None:
    chosen = 'it is a "secret" of mine/ours'
    for secret in (chosen, "s3cret"):
        hook = Webhook(url="http://127.0.0.1:9/", secret=secret)
        sandbox.register_application(redirect_uris=[CALLBACK], webhook=hook)

    assert search(client, f"a s3cret page: {html.escape(chosen)}") == [
        {
            "label": sandbox._engine.mint.label(chosen),
            "kind": "webhook_secret",
            "encoding": "html",
        }
    ]


def test_what_is_searched_is_bounded_and_never_shown(
    client: httpx.Client, sandbox: Sandbox, secrets: dict[str, str]
) -> None:
    entries = len(sandbox.journal)
    too_long = client.post("/_sandbox/leaks", json={"text": "x" * (256 * 1024 + 1)})
    wrong = client.post("/_sandbox/leaks", json={"text": 1, "textt": secrets["code"]})

    assert (too_long.status_code, too_long.json()["field"]) == (400, "text")
    assert search(client, "ñ%&=+/" * 40_000) == []
    assert len(sandbox.journal) == entries
    assert secrets["code"] not in wrong.text

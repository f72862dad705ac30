"""Faults at the authorization endpoint meet the seller's answer on the page too."""

import re

import httpx
import pytest

from .conftest import World


def on_the_page(world: World, decision: str = "approve") -> httpx.Response:
    """Sign in and answer on the consent page."""
    world.sandbox.show_consent_page()
    page = world.authorize()
    fields = dict(re.findall(r'name="(request|csrf)" value="([^"]+)"', page.text))
    origin = {"Origin": world.sandbox.url}
    signed_in = world.http.post(
        "/authorization/sign-in",
        data={**fields, "user_id": str(world.seller.user_id)},
        headers=origin,
        follow_redirects=True,
    )
    fields = dict(re.findall(r'name="(request|csrf)" value="([^"]+)"', signed_in.text))
    return world.http.post(
        "/authorization/consent", data={**fields, "decision": decision}, headers=origin
    )


@pytest.mark.parametrize(
    ("how", "missing"), [("drop-state", "state"), ("drop-code", "code"), ("error", "code")]
)
def test_a_redirect_is_tampered_with(world: World, how: str, missing: str):
    world.sandbox.faults.add("tamper", how=how)

    query = httpx.URL(on_the_page(world).headers["location"]).params

    assert missing not in query
    assert world.sandbox.journal.last().faults == (f"f1 tamper {how} (match 1)",)


def test_looking_at_the_page_is_not_what_a_fault_meets(world: World):
    armed = world.sandbox.faults.add("slow", on="authorization", seconds=0.001)

    answer = on_the_page(world, "cancel")

    assert httpx.URL(answer.headers["location"]).params["error"] == "access_denied"
    assert (armed.matched, armed.used) == (1, 1)


def test_an_answer_that_is_lost_was_given(world: World):
    world.sandbox.faults.add("lose-response", on="authorization")

    with pytest.raises(httpx.RemoteProtocolError):
        on_the_page(world)

    entry = world.sandbox.journal.last()
    assert (entry.outcome, entry.delivery) == ("code issued", "dropped")

"""The fixtures: one server for each worker, as if just started for each test."""

import sys
import time
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from mp_oauth_sandbox import Application, Clock, Sandbox, Seller


def test_a_seller_is_linked_with_the_fixtures_alone(
    mp_sandbox: "Sandbox", mp_application: "Application", mp_seller: "Seller", mp_clock: "Clock"
):
    with httpx.Client() as client:
        answer = client.get(mp_sandbox.authorization_url(mp_application, state="s"))
        code = httpx.URL(answer.headers["location"]).params["code"]
        mp_clock.advance(minutes=9)
        tokens = client.post(
            f"{mp_sandbox.url}/oauth/token",
            json={
                "grant_type": "authorization_code",
                "client_id": mp_application.client_id,
                "client_secret": mp_application.client_secret,
                "code": code,
                "redirect_uri": mp_application.redirect_uris[0],
            },
        )

    assert tokens.json()["user_id"] == mp_seller.user_id


def test_each_test_gets_the_same_server_as_if_just_started(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        import dataclasses
        import httpx
        from datetime import UTC, datetime, timedelta

        URLS = set()

        def leave_traces(sandbox, application, seller, clock):
            URLS.add(sandbox.url)
            assert len(URLS) == 1
            assert [entry.kind for entry in sandbox.journal] == ["control"]
            assert abs(clock() - datetime.now(UTC)) < timedelta(minutes=1)
            assert sandbox.profile.name == "default"
            assert sandbox.application("42") is None
            sandbox.register_application(client_id="42", redirect_uris=["http://localhost/x"])
            sandbox.deny()
            sandbox.change_profile(name="changed")
            clock.advance(days=400)
            clock.freeze()
            assert len(sandbox.faults) == 0
            assert all(row.built_in for row in sandbox.resources.list())
            sandbox.resources.add("GET", "/a")
            sandbox.faults.add("lose-response", on="exchange")
            sandbox.keep(application, seller)
            httpx.post(f"{sandbox.url}/oauth/token")
            sandbox.faults.clear()
            sandbox.faults.add("slow", on="token", seconds=0.001)
            sandbox.keep(application, seller)
            httpx.post(f"{sandbox.url}/oauth/token")

        def test_one(mp_sandbox, mp_application, mp_seller, mp_clock):
            leave_traces(mp_sandbox, mp_application, mp_seller, mp_clock)

        def test_two(mp_sandbox, mp_application, mp_seller, mp_clock):
            leave_traces(mp_sandbox, mp_application, mp_seller, mp_clock)
        """
    )

    pytester.runpytest_inprocess("-W", "error").assert_outcomes(passed=2)


def test_the_redirect_uris_of_the_application_can_be_overridden(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def mp_redirect_uris():
            return ["http://localhost:5000/mp"]

        def test_it(mp_application):
            assert mp_application.redirect_uris == ("http://localhost:5000/mp",)
        """
    )

    pytester.runpytest_inprocess("-W", "error").assert_outcomes(passed=1)


def test_workers_have_a_server_each(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("turn", range(4))
        def test_it(turn, mp_sandbox, mp_seller):
            assert [entry.kind for entry in mp_sandbox.journal] == ["control"]
        """
    )

    pytester.runpytest_inprocess("-n", "2", "-W", "error").assert_outcomes(passed=4)


def test_the_reset_before_each_test_costs_little(
    mp_server: "Sandbox", request: pytest.FixtureRequest
):
    from pytest_mp_oauth import plugin

    set_up = plugin.mp_sandbox.__wrapped__  # pyright: ignore[reportAttributeAccessIssue] - pytest's own
    durations: list[float] = []
    for _ in range(20):
        started = time.perf_counter()
        next(set_up(mp_server, request))
        durations.append(time.perf_counter() - started)

    # The best of many, so that a busy machine is not taken for a slow reset.
    assert min(durations) < 0.002


def test_a_failed_test_shows_what_the_sandbox_refused_and_why(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        import httpx

        def test_it(mp_sandbox):
            answer = httpx.post(f"{mp_sandbox.url}/oauth/token", json={})
            assert answer.status_code == 200
        """
    )
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        [
            "*- mp_sandbox: the last refusals -*",
            "* POST /oauth/token -> 400 refused (invalid_request)",
            "  why: parameter_missing. The request lacks grant_type, client_id, client_secret.",
        ],
        consecutive=True,
    )


def test_a_failed_test_shows_how_its_notifications_were_received(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        from mp_oauth_sandbox import Webhook

        def test_it(mp_sandbox, mp_application, mp_seller):
            with_webhook = mp_sandbox.register_application(
                redirect_uris=mp_application.redirect_uris,
                webhook=Webhook(url=mp_sandbox.url, secret="s"),
            )
            mp_sandbox.webhooks.simulate(with_webhook, mp_seller)
            mp_sandbox.webhooks.settle()
            assert mp_sandbox.webhooks.list(status="accepted")
        """
    )
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        [
            "*- mp_sandbox: the last notifications of note -*",
            "* application.authorized -> 404 not accepted: 404, next attempt *",
            "  why: notification_refused. The receiver refused it with 404. *",
            "  do:  See that the path of the webhook's URL is the receiver's.",
        ],
        consecutive=True,
    )


def test_a_fault_that_no_request_reached_is_a_warning(pytester: pytest.Pytester):
    pytester.makepyfile(
        """
        def test_nothing_asks(mp_sandbox):
            mp_sandbox.faults.add("lose-response", on="refresh")
        """
    )

    ended = pytester.runpytest_inprocess("-p", "no:randomly", "-W", "default")

    ended.assert_outcomes(passed=1, warnings=1)
    ended.stdout.fnmatch_lines(["*never reached: fault f1 lose-response on refresh (match 1)"])


def test_a_run_in_this_process_leaves_libraries_as_they_were(pytester: pytest.Pytester):
    pytester.makepyfile(mine="", test_it="import mine, this_is_mine, colorsys\ndef test_it(): pass")
    pytester.makepyfile(this_is_mine="")
    sys.modules.pop("colorsys", None)

    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)

    assert "colorsys" in sys.modules
    assert not {"mine", "this_is_mine", "test_it"} & sys.modules.keys()

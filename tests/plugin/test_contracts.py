"""The contracts pass the correct integration, and catch each broken copy with a readable text."""

import pytest

TESTS = """
import pytest
import shop
from pytest_mp_oauth.contracts import {contract}


class TestShop({contract}):
    @pytest.fixture
    def mp_integration(self, make_with):
        return lambda: make_with(shop.{shop})
"""


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    quiet = ("-p", "no:cacheprovider", "-p", "no:randomly", "-W", "error")
    return project.runpytest_inprocess(*quiet, *arguments)


def test_the_correct_integration_keeps_every_contract_in_more_than_one_class(
    project: pytest.Pytester,
):
    project.makepyfile(
        """
        import pytest
        import shop
        from pytest_mp_oauth.contracts import ExpiryContract, StateContract

        class Both(StateContract, ExpiryContract):
            @pytest.fixture
            def mp_integration(self, make_with):
                return lambda: make_with(shop.Shop)

        class TestOne(Both):
            pass

        class TestTwo(Both):
            pass
        """
    )

    run(project).assert_outcomes(passed=6)


def test_a_state_that_is_not_bound_to_the_session_breaks_p1_and_p6(project: pytest.Pytester):
    project.makepyfile(TESTS.format(contract="StateContract", shop="AnyGenuineStateShop"))

    done = run(project)

    done.assert_outcomes(failed=2)
    done.stdout.fnmatch_lines(
        [
            "P1 is violated: a code was exchanged although the state that came with it was not "
            "issued to that browser session",
            "",
            "  A       -> app      logs in as account A",
            "  A       -> app      starts linking, and is sent to authorize with state1",
            "  A       -> sandbox  approves as seller S1",
            "  sandbox -> A        to /callback?code=code1&state=state1 (held)",
            "  A       -> app      logs in as account B",
            "  A       -> app      opens /callback?code=code1&state=state1",
            "  app     -> sandbox  POST /oauth/token authorization_code (code1) -> 200 tokens "
            "issued   <-- here",
            "  app     -> A        200 /status",
            "",
            "What to do",
            "P1: keep each state in the browser's session when linking starts, and exchange the "
            "code only if the callback's state equals it; then forget it",
        ],
        consecutive=True,
    )
    done.stdout.fnmatch_lines(
        [
            "P6 is violated: B finished what another session had started",
            "",
            "  A       -> app      logs in as account A",
            "  A       -> app      starts linking, and is sent to authorize with state1",
            "  A       -> sandbox  approves as seller S1",
            "  sandbox -> A        to /callback?code=code1&state=state1 (held)",
            "  B       -> app      logs in as account B",
            "  B       -> app      opens /callback?code=code1&state=state1",
            "  app     -> sandbox  POST /oauth/token authorization_code (code1) -> 200 tokens "
            "issued   <-- here",
            "  app     -> B        200 /status",
            "  app     -> A        account A is none",
            "  app     -> B        account B is linked",
            "",
            "What to do",
            "P1: *",
            "P6: keep each state in the browser's session when linking starts, compare it with "
            "the callback's, and forget it; a login begins a new session",
        ],
        consecutive=True,
    )
    assert "APP_USR-" not in done.stdout.str()
    assert "TG-" not in done.stdout.str()


def test_an_expired_token_that_is_used_breaks_p14(project: pytest.Pytester):
    project.makepyfile(TESTS.format(contract="ExpiryContract", shop="NeverRefreshesShop"))

    done = run(project)

    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        [
            "P14 is violated: the API was called with an access token that had expired",
            "",
            "  A       -> app      logs in as account A",
            "  A       -> app      starts linking, and is sent to authorize with state1",
            "  sandbox             access tokens live * from now on",
            "  A       -> sandbox  approves as seller S1",
            "  sandbox -> A        to /callback?code=code1&state=state1 (held)",
            "  A       -> app      opens /callback?code=code1&state=state1",
            "  app     -> sandbox  POST /oauth/token authorization_code (code1) -> 200 tokens "
            "issued",
            "  app     -> A        200 /status",
            "  sandbox             access tokens live * from now on",
            "  sandbox             both clocks move * ahead",
            "  A       -> app      logs in as account A",
            "  A       -> app      triggers a call of the API",
            "  app     -> sandbox  GET /users/me -> 401 refused (token_expired)   <-- here",
            "  app     -> A        409 /charge",
            "",
            "What to do",
            "P14: store when each token expires (answer time + expires_in), and refresh before "
            "that; if the refresh fails, fail cleanly instead of using the old one",
        ],
        consecutive=True,
    )


def test_a_missing_hook_is_not_checked_rather_than_passed(project: pytest.Pytester):
    project.makepyfile(
        """
        import msgspec
        import pytest
        import shop
        from conftest import ENDPOINTS
        from pytest_mp_oauth.contracts import ExpiryContract, StateContract

        class TestShop(StateContract, ExpiryContract):
            @pytest.fixture
            def mp_integration(self, make_with):
                endpoints = msgspec.structs.replace(ENDPOINTS, status=None)
                return lambda: make_with(shop.Shop, endpoints=endpoints, clock=False)

        class TestUrls(ExpiryContract):
            @pytest.fixture
            def mp_integration(self, make_with):
                endpoints = msgspec.structs.replace(
                    ENDPOINTS, trigger_url="/status", trigger_method="GET"
                )
                return lambda: make_with(shop.Shop, endpoints=endpoints)
        """
    )

    done = run(project, "-rs")

    done.assert_outcomes(passed=1, skipped=3)
    done.stdout.fnmatch_lines_random(
        [
            "*not checked: the integration offers no status",
            "*not checked: the integration offers no move_clock",
            "*not checked: trigger_url makes the integration call nothing",
        ]
    )


def test_an_integration_that_links_nobody_keeps_no_contract(project: pytest.Pytester):
    project.makepyfile(TESTS.format(contract="StateContract", shop="LinksNobodyShop"))

    done = run(project, "-k", "p1")

    done.assert_outcomes(failed=1, deselected=1)
    done.stdout.fnmatch_lines(["a plain link fails already, so no check would mean anything; *"])


def test_a_contract_without_an_integration_says_what_is_missing(project: pytest.Pytester):
    project.makepyfile(
        """
        from pytest_mp_oauth.contracts import ExpiryContract

        class TestShop(ExpiryContract):
            pass
        """
    )

    done = run(project)

    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(
        ["TestShop needs a fixture `mp_integration` that returns a callable *"]
    )

"""Proof Key for Code Exchange: RFC 7636."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mp_oauth_sandbox.core.pkce import method_named, s256, verifies, well_formed
from mp_oauth_sandbox.core.records import Challenge

UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
verifiers = st.text(UNRESERVED, min_size=43, max_size=128)


def test_s256_gives_the_standards_own_example():
    # RFC 7636 Appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert s256(verifier) == challenge
    assert verifies(Challenge(value=challenge, method="S256"), verifier)
    assert not verifies(Challenge(value=challenge, method="plain"), verifier)


def test_plain_is_the_verifier_itself():
    # RFC 7636 section 4.2.
    assert verifies(Challenge(value="v" * 43, method="plain"), "v" * 43)
    assert not verifies(Challenge(value="v" * 43, method="plain"), "v" * 44)


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("S256", "S256"),
        ("s256", None),
        ("plain", "plain"),
        ("Plain", "plain"),
        ("PLAIN", "plain"),
        ("", None),
        ("S512", None),
        ("ﬂain", None),
    ],
)
def test_methods_are_s256_exactly_and_plain_in_any_case(name: str, method: str | None):
    # RFC 7636 section 4.3; Mercado Libre spells plain, Mercado Pago Plain.
    assert method_named(name) == method


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("a" * 42, False),
        ("a" * 43, True),
        (UNRESERVED, True),
        ("a" * 128, True),
        ("a" * 129, False),
        ("a" * 43 + "\n", False),
        ("a" * 42 + "+", False),
        ("a" * 42 + "é", False),
        ("\u0660" * 43, False),
    ],
)
def test_a_verifier_has_43_to_128_unreserved_characters(text: str, good: bool):
    # RFC 7636 section 4.1.
    assert well_formed(text) is good


@given(verifiers, verifiers)
def test_a_challenge_is_answered_by_its_own_verifier_alone(one: str, other: str):
    for challenge in (
        Challenge(value=s256(one), method="S256"),
        Challenge(value=one, method="plain"),
    ):
        assert verifies(challenge, one)
        assert verifies(challenge, other) is (one == other)
    assert well_formed(s256(one))

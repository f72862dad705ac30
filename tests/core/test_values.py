"""Values: what users may do with them, and what they do not show."""

import copy
import dataclasses
import gc
import sys

import pytest

from mp_oauth_sandbox.core import messages, records, registration
from mp_oauth_sandbox.core.fresh import Fresh
from mp_oauth_sandbox.core.lifetimes import Lifetimes
from mp_oauth_sandbox.core.messages import Authentication, Refresh
from mp_oauth_sandbox.core.records import Challenge, Webhook
from mp_oauth_sandbox.core.values import Value

HOOK = Webhook(url="https://shop.example/hook", secret="never to be seen")


def kinds(of: type[Value] = Value) -> list[type[Value]]:
    """Every class of values that is defined by now."""
    assert messages, records
    assert registration
    return [one for kind in of.__subclasses__() for one in (kind, *kinds(kind))]


def test_a_value_shows_what_it_is_without_its_secrets():
    assert repr(HOOK) == "Webhook(url='https://shop.example/hook', enabled=True)"
    own = Authentication(client_id="1", client_secret="never to be seen")
    nested = Refresh(authentication=own, refresh_token="never to be seen", scope="read")
    shown = "Refresh(authentication=Authentication(client_id='1'), scope='read')"
    assert str(nested) == shown
    assert "seen" not in repr(Challenge(value="never to be seen", method="plain"))
    assert "6" not in repr(Fresh(randomness=b"6" * 64, machine=b"", counter=0, serial=0))


SECRET_NAMES = {
    *("secret", "client_secret", "replaced_secret", "access_token", "refresh_token", "token"),
    *("code", "state", "code_verifier", "code_challenge"),
}


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_no_value_shows_a_field_that_is_called_like_a_secret(kind: type[Value]):
    # Nothing checks that these are of the right types.
    shown = repr(kind(**{name: f"<{name}>" for name in kind.__struct_fields__}))

    # There, `access_token` is how long one lives.
    secret = {} if kind is Lifetimes else SECRET_NAMES
    assert not [name for name in kind.__struct_fields__ if name in secret and f"<{name}>" in shown]


def test_dataclasses_takes_a_value_for_one_of_its_own():
    changed = dataclasses.replace(HOOK, enabled=False)

    assert changed == Webhook(url=HOOK.url, secret=HOOK.secret, enabled=False)
    assert type(changed) is Webhook
    assert [one.name for one in dataclasses.fields(HOOK)] == ["url", "secret", "enabled"]
    assert dataclasses.asdict(HOOK)["secret"] == HOOK.secret
    assert dataclasses.is_dataclass(HOOK)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="copy.replace is of Python 3.13")
def test_copy_replaces_a_field():
    if sys.version_info >= (3, 13):  # Once more, for the type checkers.
        assert copy.replace(HOOK, enabled=False) == dataclasses.replace(HOOK, enabled=False)


def test_a_wrong_field_is_named():
    with pytest.raises(TypeError, match="enable"):
        dataclasses.replace(HOOK, enable=False)  # type: ignore[call-arg]


def test_values_stay_as_they_are_and_can_be_keys():
    with pytest.raises(AttributeError):
        HOOK.url = "https://elsewhere.example/"  # type: ignore[misc]
    assert {HOOK: 1}[copy.copy(HOOK)] == 1


def test_the_collector_of_cycles_passes_values_by():
    assert not gc.is_tracked(HOOK)

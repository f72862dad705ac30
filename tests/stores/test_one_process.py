"""The list of what one process keeps to itself names what there is."""

import pkgutil
import re

import pytest

import mp_oauth_sandbox.stores

PLACES = re.findall(r" ((?:[a-z_]+\.)+\w+)  ", mp_oauth_sandbox.stores.__doc__ or "")


def test_the_list_is_found():
    assert len(PLACES) > 10


@pytest.mark.parametrize("place", sorted(set(PLACES)))
def test_what_the_list_names_is_there(place: str):
    assert pkgutil.resolve_name(f"mp_oauth_sandbox.{place}")

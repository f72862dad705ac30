"""Fixtures and contracts for pytest, on top of mp_oauth_sandbox.

The fixtures come by themselves. The contracts are classes to inherit from:

    from pytest_mp_oauth.contracts import ExpiryContract, StateContract
"""

import pytest

# Before anything imports them, so that their assertions explain themselves.
pytest.register_assert_rewrite("pytest_mp_oauth.contracts")

"""Fixtures and contracts for pytest, on top of mp_oauth_sandbox."""

"""What must hold in every test, however it is about something else."""

from mp_oauth_sandbox import Sandbox

from .running import Running


def nothing_leaked(example: Running) -> None:
    """P30: no secret in any page, header, log line or answer of a test endpoint."""
    assert example.leaks() == []


def nothing_was_misused(sandbox: Sandbox) -> None:
    """P14, P22 and P28, as far as the journal shows them."""
    done_with = set[str]()
    for entry in sandbox.journal.query(kind="token"):
        presented = entry.facts.get("code") or entry.facts.get("refresh_token", "")
        assert presented not in done_with, f"presented again:\n{entry}"
        is_final = entry.error == "invalid_grant" or (entry.cause is None and not entry.faults)
        if entry.grant_type == "authorization_code" or is_final:
            done_with.add(presented)
    for entry in sandbox.journal.query(kind="resource"):
        assert entry.cause != "token_expired", f"an expired token was used:\n{entry}"
        assert "platform_token" not in entry.facts, f"the platform's token was used:\n{entry}"

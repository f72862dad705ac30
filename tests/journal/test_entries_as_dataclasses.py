"""Entries are structs, and `dataclasses` goes on taking them for its own."""

import dataclasses

from mp_oauth_sandbox import Sandbox


def test_an_entry_can_be_copied_and_read_as_a_dataclass():
    with Sandbox(live=False) as sandbox:
        sandbox.clock.advance(days=1)
        entry = sandbox.journal.entries()[-1]

    assert dataclasses.replace(entry, outcome="x").outcome == "x"
    assert dataclasses.replace(entry) == entry
    assert dataclasses.asdict(entry)["seq"] == entry.seq

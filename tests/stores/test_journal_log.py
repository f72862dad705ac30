"""What every store promises of the journal's log, in the same words for each of them.

A store that does not survive a restart need not keep it: the journal has its own copy.
"""

from pathlib import Path

from mp_oauth_sandbox.stores.protocol import DEAD_KEPT

from .kinds import SELLER, Maker, every_store


@every_store
def test_the_newest_entries_are_there_after_a_restart_oldest_first(maker: Maker, tmp_path: Path):
    store = maker.open(tmp_path, DEAD_KEPT)
    store.append_journal([b"1", b"2"])
    store.append_journal([b"3"])
    store.close()

    again = maker.open(tmp_path, DEAD_KEPT)

    assert again.journal(2) == ([b"2", b"3"] if maker.durable else [])
    assert again.journal(10) == ([b"1", b"2", b"3"] if maker.durable else [])
    assert again.journal(0) == []
    again.close()


@every_store
def test_a_reset_leaves_no_entry(maker: Maker, tmp_path: Path):
    store = maker.open(tmp_path, DEAD_KEPT)
    store.append_journal([b"1"])

    store.reset([SELLER], {})

    assert store.journal(10) == []
    store.close()

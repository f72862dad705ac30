"""What `serve` prints of exchanges, and who waits for it."""

import threading
from typing import cast

import pytest

from mp_oauth_sandbox.cli.printer import MOST, TOGETHER, Printer
from mp_oauth_sandbox.journal import Entry


class Reader:
    """Reads when it is let, and notes what it has read."""

    def __init__(self) -> None:
        self.may_read = threading.Event()
        self.seen: list[int] = []
        self.gone = threading.Event()
        self.printer = Printer(
            str, left_out=lambda count: str(-count), write=self.write, failed=self.gone.set
        )
        self.printer.start()

    def write(self, text: str) -> None:
        self.may_read.wait()
        self.seen += map(int, text.split("\n"))


@pytest.fixture
def reader():
    reader = Reader()
    yield reader
    reader.may_read.set()
    assert reader.printer.close(within=10)


def entry(number: int) -> Entry:
    return cast("Entry", number)


def test_entries_are_printed_in_their_order(reader: Reader):
    reader.may_read.set()
    for number in range(100):
        reader.printer.tell(entry(number))

    assert reader.printer.close(within=10)
    assert reader.seen == list(range(100))


def test_whoever_does_not_read_is_told_how_many_are_missing(reader: Reader):
    told = MOST + TOGETHER + 50
    for number in range(told):
        reader.printer.tell(entry(number))

    assert not reader.printer.close(within=0.01)
    reader.may_read.set()
    assert reader.printer.close(within=10)
    missing = [-one for one in reader.seen if one < 0]
    assert sum(missing) + len(reader.seen) - len(missing) == told
    assert sum(missing) >= 49


def test_a_reader_that_is_gone_is_said(reader: Reader):
    def write(_: str) -> None:
        raise BrokenPipeError

    printer = Printer(str, left_out=str, write=write, failed=reader.gone.set)
    printer.start()
    printer.tell(entry(1))

    assert reader.gone.wait(10)
    assert printer.close(within=10)


def test_what_is_told_before_the_start_is_printed_after_it(reader: Reader):
    early = Printer(str, left_out=str, write=reader.write, failed=reader.gone.set)
    reader.may_read.set()

    early.tell(entry(7))
    assert reader.seen == []
    early.start()

    assert early.close(within=10)
    assert reader.seen == [7]

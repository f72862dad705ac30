"""The journal: what was asked, what was answered, and why really.

An entry is visible before the first byte of its answer leaves, and completed afterwards.
It never holds a whole secret: each is shown by its kind and a short stable id, so that
chains and repeats can be followed.
"""

from mp_oauth_sandbox.journal.diagram import Line, draw, sequence
from mp_oauth_sandbox.journal.entries import KINDS, Arrival, Delivery, Entry, Happened, Kind, moment
from mp_oauth_sandbox.journal.journal import KEPT, Journal
from mp_oauth_sandbox.journal.queries import CAUSES, Query

__all__ = [
    "CAUSES",
    "KEPT",
    "KINDS",
    "Arrival",
    "Delivery",
    "Entry",
    "Happened",
    "Journal",
    "Kind",
    "Line",
    "Query",
    "draw",
    "moment",
    "sequence",
]

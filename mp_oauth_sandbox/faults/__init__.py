"""Faults: everything that goes wrong in production, made to happen on purpose.

A fault wraps the way a request is served and never reaches into the decision: it refuses in
its stead, loses, delays or garbles the answer, or holds requests back.

>>> from mp_oauth_sandbox.faults import LoseResponse
>>> armed = sandbox.faults.add(LoseResponse(on="refresh"))
>>> armed = sandbox.faults.add("lose-response", on="refresh")     # the same
"""

from mp_oauth_sandbox.faults.armed import Armed
from mp_oauth_sandbox.faults.fault import Fault
from mp_oauth_sandbox.faults.garble import Garble
from mp_oauth_sandbox.faults.gate import Gate
from mp_oauth_sandbox.faults.hang_up import DropBeforeCommit, LoseResponse
from mp_oauth_sandbox.faults.kinds import KINDS, AnyFault, Steps, load_faults
from mp_oauth_sandbox.faults.pace import Drip, Slow
from mp_oauth_sandbox.faults.rack import Faults, description, unreached
from mp_oauth_sandbox.faults.refuse import Refuse
from mp_oauth_sandbox.faults.tamper import Tamper
from mp_oauth_sandbox.faults.webhook import WebhookFault
from mp_oauth_sandbox.wire.exchange import Answer, Asked, Reply, Serve

__all__ = [
    "KINDS",
    "Answer",
    "AnyFault",
    "Armed",
    "Asked",
    "Drip",
    "DropBeforeCommit",
    "Fault",
    "Faults",
    "Garble",
    "Gate",
    "LoseResponse",
    "Refuse",
    "Reply",
    "Serve",
    "Slow",
    "Steps",
    "Tamper",
    "WebhookFault",
    "description",
    "load_faults",
    "unreached",
]

"""Where a request has its arrival in the journal's sight."""

#: The key of the scope under which a request has its arrival; a call of the control API has none.
ARRIVAL = "mp_oauth_sandbox.arrival"

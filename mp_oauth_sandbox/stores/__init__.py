"""Where records are kept: four small protocols, several stores.

A store holds what must outlive a request: records (with the notifications that wait), settings,
the journal's log. The rest lives in one process, which is why a data file is held by one process
alone. Were there two workers over one store, this is what each would keep to itself:

=========================  =========================  ==========================================
What                       Where                      What two workers would see
=========================  =========================  ==========================================
armed faults, and how      faults.rack.Faults         only requests that reach the worker where a
often each was met                                    fault was armed meet it
requests held at a gate    faults.gate.Gate           each waits for its own number of requests
clock, profile, consent    engine.engine.Engine       saved by one, and taken on by the other
                                                      only when it starts
what a reset returns to    engine.engine.Engine       each its own; records go for both, faults
                                                      and browsers of the other stay
draws of secrets           engine.mint.Mint           with one seed and one number of restarts
                                                      both would make the same codes
token requests counted     engine.rates.RateLimit     twice the limit
browser sessions, and      web.pages.sessions         signed out by every change of worker, and
requests for consent                                  a form that leads nowhere
answers remembered by      web.api.resources          a POST that is repeated is done twice
idempotency key
added resources            resources.table            only the worker where one was added has it
entries, their numbers,    journal.journal.Journal    two journals with the same numbers; a stream
listeners, what is                                    tells of half of the requests
in flight
delivery of webhooks       webhooks.delivery          both send what is due
=========================  =========================  ==========================================
"""

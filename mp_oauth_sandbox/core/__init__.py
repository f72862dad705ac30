"""The rules: pure functions of stored records, a request, the instant and fresh secrets.

Nothing in this package reads a clock, draws a random number, opens a file or imports
anything outside the standard library. The same rules therefore answer over HTTP, in
process and inside a Hypothesis state machine.
"""

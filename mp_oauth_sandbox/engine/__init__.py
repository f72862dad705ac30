"""The sandbox's decisions with their clock, luck, store and journal; no HTTP."""

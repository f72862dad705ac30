"""How an ASGI application is reached: over a socket (`live`) or without one (`transport`).

Nothing here knows OAuth, and nothing is imported before it is asked for: `live` loads uvicorn,
`transport` loads httpx, and neither needs the other.
"""

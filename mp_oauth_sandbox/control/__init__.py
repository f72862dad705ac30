"""The control API, each call described once: server, document, commands and driver read it."""

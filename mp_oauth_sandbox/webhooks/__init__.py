"""Webhook notifications of the topic mp-connect: built, signed, delivered, sent again."""

"""The driver: plays sellers, browsers and attackers against an integration."""

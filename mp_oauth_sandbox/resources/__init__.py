"""What the API answers beside linking: a table of resources, some built in, others added."""

from mp_oauth_sandbox.resources.table import Found, Resource, ResourceTable

__all__ = ["Found", "Resource", "ResourceTable"]

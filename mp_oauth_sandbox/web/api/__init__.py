"""What an integration's server calls: the token endpoint and the resources."""

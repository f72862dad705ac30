"""All that is known of a code, a token or a URL that somebody pasted."""

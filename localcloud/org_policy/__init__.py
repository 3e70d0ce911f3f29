"""The local cloud: org policy."""

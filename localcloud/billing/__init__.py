"""The local cloud: billing."""

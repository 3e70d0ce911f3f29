"""The local cloud: core."""

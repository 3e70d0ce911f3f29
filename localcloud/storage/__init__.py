"""The local cloud: storage."""

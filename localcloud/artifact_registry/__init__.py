"""The local cloud: artifact registry."""

"""The local cloud: resource manager."""

"""The local cloud: logging."""

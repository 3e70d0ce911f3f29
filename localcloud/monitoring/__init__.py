"""The local cloud: monitoring."""

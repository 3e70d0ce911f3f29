"""The local cloud: scheduler."""

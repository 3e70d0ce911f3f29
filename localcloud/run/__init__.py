"""The local cloud: run."""

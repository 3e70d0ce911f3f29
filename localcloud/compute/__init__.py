"""The local cloud: compute."""

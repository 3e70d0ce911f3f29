"""The local cloud: github."""

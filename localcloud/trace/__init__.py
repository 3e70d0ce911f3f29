"""The local cloud: trace."""

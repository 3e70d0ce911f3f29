"""The local cloud: secret manager."""

"""The local cloud: service usage."""

"""The local cloud: quotas."""

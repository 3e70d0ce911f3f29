"""The local cloud: iam."""

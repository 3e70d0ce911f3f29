"""The local cloud: pubsub."""

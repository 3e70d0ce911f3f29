"""The local cloud: gke."""

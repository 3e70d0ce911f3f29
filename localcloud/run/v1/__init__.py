"""The local cloud: Cloud Run's API in version 1, as `gcloud run` speaks it, put upon version 2."""

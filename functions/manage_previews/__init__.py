"""Manages pull-request previews: one Cloud Run service for each open pull request, and gone when it closes."""

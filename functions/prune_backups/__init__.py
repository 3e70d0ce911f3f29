"""Keeps the backups that matter, and deletes the others, only after proof that the newest one is good."""

"""Proves the newest backup by restoring it."""

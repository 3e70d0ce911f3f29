"""Figures beside peers: each a ratio measured in one run, never asserted by a test."""

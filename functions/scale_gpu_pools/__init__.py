"""Scales GPU pools: to size zero when they are idle or out of hours, and back when they are needed."""

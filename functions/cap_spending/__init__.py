"""Caps spending: climbs a ladder of actions as cost passes thresholds of a budget, and lets go in a new period."""

"""The automations: one folder each, none of which imports another."""

"""The local cloud: budgets."""

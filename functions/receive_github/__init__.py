"""Receives GitHub's webhooks: checks the signature, publishes what previews need, answers; nothing else."""

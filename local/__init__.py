"""The laptop run: a local cloud, the functions on it, and the story that is played there."""

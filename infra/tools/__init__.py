"""The project's own tools: its checks and rules, the environment they run in, and what is generated."""

"""The laptop run: a local cloud, the functions on it, and the story that is played there."""

from local.left_out import leave_out

leave_out()  # before anything imports Google's packages

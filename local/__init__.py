"""The laptop run: a local cloud, the functions on it, and the story that is played there."""

import sys

from local.left_out import leave_out

if sys.argv[0] == "-m":  # so Python says while it looks for `python -m local`: tests and tools import all of it
    leave_out()  # before anything imports Google's packages

"""Simulates Caretaker on a recorded month, and what that would have saved: `./deploy.sh simulate`."""

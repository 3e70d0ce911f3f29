"""What Caretaker would have done with a recorded month, and what that would have saved: `./deploy.sh simulate`."""

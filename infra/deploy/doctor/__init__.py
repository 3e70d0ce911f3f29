"""`./deploy.sh doctor`: what is missing, and the command that fixes it."""

"""Commands for the suite: `./deploy.sh plan`, `apply`, `destroy`, `doctor`, `status`, `send`."""

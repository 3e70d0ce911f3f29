"""What a person does with the suite: `./deploy.sh plan`, `apply`, `destroy`, `doctor`, `status`, `send`."""

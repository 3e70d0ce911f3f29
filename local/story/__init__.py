"""The story that `./deploy.sh local` plays: a month of a small product, and what the suite makes of it."""

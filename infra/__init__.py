"""Deploys the suite and checks it: environments, checks, bundles, Terraform."""

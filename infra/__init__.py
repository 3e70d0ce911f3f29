"""What puts the suite in place and keeps it sound: environments, checks, bundles, Terraform."""

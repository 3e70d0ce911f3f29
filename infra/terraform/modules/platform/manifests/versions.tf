# No provider: only text is made here, so that it can be rendered and checked without an account.
terraform {
  required_version = ">= 1.11"
}

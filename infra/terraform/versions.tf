terraform {
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 8.0"
    }
    random = {
      source  = "hashicorp/random"
      version = "~> 3.7"
    }
    time = {
      source  = "hashicorp/time"
      version = "~> 0.13"
    }
  }

  # ./deploy.sh says which bucket: terraform init -backend-config=bucket=...
  backend "gcs" {
    prefix = "caretaker"
  }
}

provider "google" {
  project = var.project_id
  region  = var.region
  # Budgets and other APIs that belong to no project are counted as this one's.
  billing_project       = var.project_id
  user_project_override = true
}

locals {
  repository_ids = sort([for id in values(var.github_repositories) : tostring(id)])
}

resource "google_artifact_registry_repository" "previews" {
  #checkov:skip=CKV_GCP_84:images of pull requests are encrypted with Google's keys; a key of one's own adds nothing here
  project       = var.project_id
  location      = var.location
  repository_id = var.repository
  description   = "Images of pull requests; each is gone ${var.cleanup.delete_after_days} days after its push."
  format        = "DOCKER"
  labels        = var.labels

  docker_config {
    immutable_tags = true # a tag is a commit, and a commit does not change
  }

  vulnerability_scanning_config {
    enablement_config = var.vulnerability_scanning ? "INHERITED" : "DISABLED" # it is paid by the image
  }

  # Without this the policies below only say what they would delete.
  cleanup_policy_dry_run = false

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      tag_state  = "ANY"
      older_than = "${var.cleanup.delete_after_days * 86400}s"
    }
  }

  # What one policy keeps, no other deletes.
  cleanup_policies {
    id     = "keep-newest"
    action = "KEEP"
    most_recent_versions {
      keep_count = var.cleanup.keep_newest
    }
  }
}

# What previews run as. It has no role anywhere, and that is the point.
resource "google_service_account" "preview" {
  project      = var.project_id
  account_id   = var.preview_account
  display_name = "Pull-request previews: no privileges"
}

# manage_previews deploys services that run as this account, and may use no other.
resource "google_service_account_iam_member" "deployer" {
  for_each = var.deployers

  service_account_id = google_service_account.preview.name
  role               = "roles/iam.serviceAccountUser"
  member             = each.value
}

# Google keeps the id of a deleted pool for 30 days: the time of the plan that first made it is in it, which the state remembers. So what was
# destroyed can be applied again at once.
# https://cloud.google.com/iam/docs/manage-workload-identity-pools-providers#delete-pool
resource "terraform_data" "made_at" {
  input = formatdate("YYYYMMDDhhmmss", plantimestamp())

  lifecycle {
    ignore_changes = [input]
  }
}

# GitHub's workflows prove who they are by a token that GitHub signs. There is no key to leak.
resource "google_iam_workload_identity_pool" "github" {
  project                   = var.project_id
  workload_identity_pool_id = "${var.identity_pool}-${terraform_data.made_at.output}"
  display_name              = "GitHub Actions"
}

resource "google_iam_workload_identity_pool_provider" "github" {
  #checkov:skip=CKV_GCP_125:it looks for the repository's name in assertion.sub; its number, as here, cannot be taken by someone else
  project                            = var.project_id
  workload_identity_pool_id          = google_iam_workload_identity_pool.github.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  display_name                       = "GitHub Actions"

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }

  attribute_mapping = {
    "google.subject"          = "assertion.sub"
    "attribute.repository_id" = "assertion.repository_id"
  }

  # By number: a name that is given up can be taken by someone else. Without a condition any repository on GitHub would do.
  attribute_condition = "assertion.repository_id in [${join(", ", [for id in local.repository_ids : "'${id}'"])}]"
}

# They may push to this repository, and nothing else; no service account is in between.
resource "google_artifact_registry_repository_iam_member" "workflow" {
  for_each = var.github_repositories

  project    = var.project_id
  location   = google_artifact_registry_repository.previews.location
  repository = google_artifact_registry_repository.previews.name
  role       = "roles/artifactregistry.writer"
  member     = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.github.name}/attribute.repository_id/${each.value}"
}

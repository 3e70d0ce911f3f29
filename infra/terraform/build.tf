# Where bundles lie, what builds images of them, and as whom Pub/Sub calls them.

resource "google_storage_bucket" "bundles" {
  #checkov:skip=CKV_GCP_62:it holds the sources of this repository; Cloud Audit Logs say who wrote there
  #checkov:skip=CKV_GCP_63:as above

  project                     = var.project_id
  name                        = "${var.project_id}-caretaker-bundles"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true # bundles are made anew from the checkout
  labels                      = local.labels

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = 604800 # 7 days
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 30
    }
  }

  depends_on = [google_project_service.suite]
}

resource "google_artifact_registry_repository" "functions" {
  #checkov:skip=CKV_GCP_84:images of the sources of this repository, without secrets

  project       = var.project_id
  location      = var.region
  repository_id = "caretaker-functions"
  description   = "Images of the suite's functions, built from their bundles."
  format        = "DOCKER"
  labels        = local.labels

  cleanup_policies {
    id     = "keep-two"
    action = "KEEP"
    most_recent_versions {
      keep_count = 2
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "604800s"
    }
  }

  depends_on = [google_project_service.suite]
}

# Builds run as this account, not as Google's default one, which may be an editor of the whole project.
resource "google_service_account" "build" {
  project      = var.project_id
  account_id   = "caretaker-build"
  display_name = "Caretaker: builds the functions"
}

resource "google_project_iam_member" "build" {
  for_each = toset(["roles/logging.logWriter"])

  project = var.project_id
  role    = each.key
  member  = google_service_account.build.member
}

resource "google_storage_bucket_iam_member" "build_reads" {
  bucket = google_storage_bucket.bundles.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.build.member
}

# Cloud Run functions copies a bundle to a bucket of its own in this project, and builds from there:
# https://cloud.google.com/functions/docs/building
resource "google_project_iam_member" "build_reads_copies" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member

  condition {
    title       = "copies of bundles"
    description = "The sources of functions, as Cloud Run functions keeps them."
    expression  = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${data.google_project.suite.number}-\")"
  }
}

resource "google_artifact_registry_repository_iam_member" "build_writes" {
  project    = var.project_id
  location   = var.region
  repository = google_artifact_registry_repository.functions.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}

# Every push bears a token of this account, which may call the suite's functions and do nothing else.
resource "google_service_account" "push" {
  project      = var.project_id
  account_id   = "caretaker-push"
  display_name = "Caretaker: Pub/Sub calls the functions as this"
}

# In projects made before April 2021 Pub/Sub's agent may not sign tokens by itself:
# https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
resource "google_service_account_iam_member" "pubsub_signs" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = "serviceAccount:service-${data.google_project.suite.number}@gcp-sa-pubsub.iam.gserviceaccount.com"

  # That agent is made when Pub/Sub is first used, and not by enabling the API; what does not exist is granted nothing. So
  # topics come first, and ./deploy.sh doctor looks, as when exactly it is made Google does not say:
  # https://cloud.google.com/iam/docs/create-service-agents
  depends_on = [google_pubsub_topic.own, module.budget]
}

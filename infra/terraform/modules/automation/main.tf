locals {
  dashed  = replace(var.name, "_", "-")
  inbox   = "caretaker-${local.dashed}"
  is_http = var.entry.trigger == "http"
  labels  = merge(var.suite.labels, { caretaker = local.dashed })
}

resource "google_service_account" "function" {
  project      = var.suite.project_id
  account_id   = local.inbox
  display_name = "Caretaker: ${var.name}"
  description  = var.entry.summary
}

resource "google_storage_bucket_object" "bundle" {
  bucket = var.suite.bucket
  name   = basename(var.bundle)
  source = var.bundle
}

# A function is built, and mounts its secrets, with grants that were made a moment before. Google's page on access changes says
# about 2 minutes: https://cloud.google.com/iam/docs/access-change-propagation
resource "time_sleep" "grants" {
  create_duration = "120s"
  triggers = merge(
    { build_account = var.suite.build_account },
    { for secret, grant in google_secret_manager_secret_iam_member.mounted : secret => grant.id },
  )
}

# Deployed as HTTP, without an event trigger: the push subscriptions are our own, so that retry, back-off, dead letters
# and filters are seen in one place.
resource "google_cloudfunctions2_function" "function" {
  #checkov:skip=CKV_GCP_124:of the webhooks alone, whose sender has no account of Google's; the function checks a signature

  project     = var.suite.project_id
  location    = var.suite.region
  name        = local.inbox
  description = var.entry.summary
  labels      = local.labels

  build_config {
    runtime           = var.suite.runtime
    entry_point       = var.name
    docker_repository = var.suite.repository
    service_account   = var.suite.build_account

    source {
      storage_source {
        bucket = var.suite.bucket
        object = google_storage_bucket_object.bundle.name
      }
    }

    automatic_update_policy {}
  }

  service_config {
    available_memory                 = var.entry.memory
    available_cpu                    = "1" # more than one request at a time needs a whole one
    timeout_seconds                  = var.entry.time_limit_seconds
    max_instance_count               = var.entry.max_instances
    max_instance_request_concurrency = var.entry.concurrency
    service_account_email            = google_service_account.function.email
    ingress_settings                 = local.is_http ? "ALLOW_ALL" : "ALLOW_INTERNAL_ONLY"
    all_traffic_on_latest_revision   = true

    environment_variables = merge(var.entry.environment, {
      CARETAKER_PROJECT  = var.suite.project_id
      CARETAKER_SETTINGS = var.settings
    })

    dynamic "secret_volumes" {
      for_each = var.entry.secrets

      content {
        project_id = var.suite.project_id
        secret     = secret_volumes.value.secret
        mount_path = dirname(secret_volumes.value.file)

        versions {
          path    = basename(secret_volumes.value.file)
          version = "latest"
        }
      }
    }
  }

  depends_on = [time_sleep.grants]
}

# Authoritative, so that no one else may call it: only the account that Pub/Sub pushes as, or, for webhooks, anyone.
resource "google_cloud_run_v2_service_iam_binding" "invoker" {
  project  = var.suite.project_id
  location = var.suite.region
  name     = google_cloudfunctions2_function.function.name
  role     = "roles/run.invoker"
  members  = local.is_http ? ["allUsers"] : ["serviceAccount:${var.suite.push_account}"]
}

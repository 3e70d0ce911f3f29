locals {
  name = "caretaker-report"
}

# It may read, and nothing else.
resource "google_service_account" "report" {
  project      = var.project_id
  account_id   = local.name
  display_name = "Caretaker: the report"
  description  = "Reads records and logs for the page behind Identity-Aware Proxy."
}

resource "google_project_iam_member" "reads_records" {
  project = var.project_id
  role    = "roles/datastore.viewer"
  member  = google_service_account.report.member

  condition {
    title      = "the suite's own database"
    expression = "resource.name == \"projects/${var.project_id}/databases/${var.database}\""
  }
}

resource "google_project_iam_member" "reads_logs" {
  project = var.project_id
  role    = "roles/logging.viewer"
  member  = google_service_account.report.member
}

resource "google_cloud_run_v2_service" "report" {
  project             = var.project_id
  name                = local.name
  location            = var.region
  description         = "The report, read-only, for who may sign in."
  labels              = var.labels
  ingress             = "INGRESS_TRAFFIC_ALL" # IAP stands before every way in
  iap_enabled         = true
  deletion_protection = false # it holds nothing

  template {
    service_account                  = google_service_account.report.email
    max_instance_request_concurrency = 4
    timeout                          = "60s"

    scaling {
      min_instance_count = 0
      max_instance_count = 1
    }

    containers {
      image = var.image

      resources {
        limits   = { cpu = "1", memory = "512Mi" }
        cpu_idle = true
      }

      dynamic "env" {
        for_each = {
          CARETAKER_PROJECT  = var.project_id
          CARETAKER_SETTINGS = var.settings
          CARETAKER_AUDIENCE = "/projects/${var.project_number}/locations/${var.region}/services/${local.name}"
          TZ                 = var.time_zone
        }

        content {
          name  = env.key
          value = env.value
        }
      }
    }
  }
}

# Authoritative, so that no one reaches the service past IAP, which calls it as its own agent:
# https://cloud.google.com/run/docs/securing/identity-aware-proxy-cloud-run
resource "google_cloud_run_v2_service_iam_binding" "invoker" {
  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_service.report.name
  role     = "roles/run.invoker"
  members  = ["serviceAccount:service-${var.project_number}@gcp-sa-iap.iam.gserviceaccount.com"]
}

resource "google_iap_web_cloud_run_service_iam_member" "viewer" {
  for_each = var.viewers

  project                = var.project_id
  location               = var.region
  cloud_run_service_name = google_cloud_run_v2_service.report.name
  role                   = "roles/iap.httpsResourceAccessor"
  member                 = each.key
}

locals {
  # Warm in production, nothing to pay while idle elsewhere.
  min_instances = coalesce(var.scaling.min_instances, var.environment == "production" ? 1 : 0)
}

resource "google_service_account" "service" {
  project      = var.project_id
  account_id   = var.name
  display_name = "Cloud Run service ${var.name}"
}

# Spans are written with the service's own account.
resource "google_project_iam_member" "traces" {
  project = var.project_id
  role    = "roles/cloudtrace.agent"
  member  = google_service_account.service.member
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = toset([for secret in var.secrets : secret.secret])

  project   = var.project_id
  secret_id = each.key
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.service.member
}

# Cloud Run refuses a revision whose account may not read its secrets yet. Google's page on access changes says about 2 minutes:
# https://cloud.google.com/iam/docs/access-change-propagation
resource "time_sleep" "grants" {
  count = length(google_secret_manager_secret_iam_member.reader) > 0 ? 1 : 0

  create_duration = "120s"
  triggers        = { for key, grant in google_secret_manager_secret_iam_member.reader : key => grant.id }
}

resource "google_cloud_run_v2_service" "service" {
  for_each = var.regions

  project              = var.project_id
  name                 = var.name
  location             = each.key
  labels               = var.labels
  ingress              = var.ingress
  invoker_iam_disabled = var.public
  deletion_protection  = var.deletion_protection

  template {
    service_account                  = google_service_account.service.email
    max_instance_request_concurrency = var.scaling.concurrency
    timeout                          = "${var.timeout_seconds}s"

    # Of the revision: these are Terraform's. Those of the service are the automations', and the lower maximum counts.
    scaling {
      min_instance_count = local.min_instances
      max_instance_count = var.scaling.max_instances
    }

    dynamic "vpc_access" {
      for_each = each.value.subnetwork == null ? [] : [each.value.subnetwork]

      content {
        egress = "PRIVATE_RANGES_ONLY"
        network_interfaces {
          subnetwork = vpc_access.value
        }
      }
    }

    containers {
      image = var.image

      ports {
        container_port = var.port
      }

      resources {
        limits            = { cpu = var.cpu, memory = var.memory }
        cpu_idle          = !var.cpu_always_allocated
        startup_cpu_boost = true
      }

      # Asked every second, so that a fast start is seen at once, and a slow one has its time.
      startup_probe {
        initial_delay_seconds = 0
        period_seconds        = 1
        timeout_seconds       = 1
        failure_threshold     = var.probes.startup_seconds
        http_get {
          path = var.probes.startup_path
          port = var.port
        }
      }

      # Must not look at the database: an outage there would restart every instance on top.
      liveness_probe {
        period_seconds    = 10
        timeout_seconds   = 5
        failure_threshold = 3
        http_get {
          path = var.probes.liveness_path
          port = var.port
        }
      }

      dynamic "env" {
        for_each = var.environment_variables

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = var.secrets

        content {
          name = env.key
          value_source {
            secret_key_ref {
              secret  = env.value.secret
              version = env.value.version
            }
          }
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [
      client,                         # who deployed last: gcloud and the console write it
      client_version,                 # the same
      scaling,                        # cap_spending lowers the service's maximum, scale_gpu_pools its minimum
      template[0].containers[0].image # continuous integration deploys
    ]
  }

  depends_on = [time_sleep.grants]
}

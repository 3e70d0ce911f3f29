locals {
  jobs = { for name, job in { back_up = var.back_up, prove = var.prove } : name => job if job != null }

  names = { back_up = "${var.name}-take", prove = "${var.name}-prove" }
  # As jobs/*/README.md say. Neither deletes, and so neither can overwrite what a backup holds.
  permissions = {
    back_up = ["storage.objects.create", "storage.objects.get", "storage.objects.update"]
    prove   = ["storage.objects.get", "storage.objects.list", "storage.objects.update"]
  }
}

# Google keeps the id of a deleted role for up to 37 days: the time of the plan that first made it is in it, which the state remembers. So what was
# destroyed can be applied again at once.
# https://cloud.google.com/iam/docs/creating-custom-roles#deleting-custom-role
resource "terraform_data" "made_at" {
  for_each = local.jobs

  input = formatdate("YYYYMMDDhhmmss", plantimestamp())

  lifecycle {
    ignore_changes = [input]
  }
}

resource "google_project_iam_custom_role" "job" {
  for_each = local.jobs

  project     = var.project_id
  role_id     = "${replace("${var.name}_${each.key}", "-", "_")}_${terraform_data.made_at[each.key].output}"
  title       = "Backups of ${var.name}: ${replace(each.key, "_", " ")}"
  description = "What the job needs in the bucket of backups"
  permissions = local.permissions[each.key]
}

resource "google_service_account" "job" {
  for_each = local.jobs

  project      = var.project_id
  account_id   = local.names[each.key]
  display_name = "Backups of ${var.name}: ${replace(each.key, "_", " ")}"
}

resource "google_storage_bucket_iam_member" "job" {
  for_each = local.jobs

  bucket = google_storage_bucket.backups.name
  role   = google_project_iam_custom_role.job[each.key].name
  member = google_service_account.job[each.key].member
}

resource "google_secret_manager_secret_iam_member" "job" {
  for_each = merge([
    for name, job in local.jobs : { for secret in toset([for each in values(job.secrets) : each.secret]) : "${name}-${secret}" => { job = name, secret = secret } }
  ]...)

  project   = var.project_id
  secret_id = each.value.secret
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.job[each.value.job].member
}

# Cloud Run refuses a job whose account may not read its secrets yet. Google's page on access changes says about 2 minutes:
# https://cloud.google.com/iam/docs/access-change-propagation
resource "time_sleep" "grants" {
  count = length(google_secret_manager_secret_iam_member.job) > 0 ? 1 : 0

  create_duration = "120s"
  triggers        = { for key, grant in google_secret_manager_secret_iam_member.job : key => grant.id }
}

resource "google_cloud_run_v2_job" "job" {
  for_each = local.jobs

  project             = var.project_id
  name                = local.names[each.key]
  location            = var.region
  labels              = var.labels
  deletion_protection = false # it holds nothing

  template {
    task_count  = 1
    parallelism = 1

    template {
      service_account = google_service_account.job[each.key].email
      timeout         = "${each.value.timeout_seconds}s"
      max_retries     = 1

      dynamic "vpc_access" {
        for_each = var.subnetwork == null ? [] : [var.subnetwork]

        content {
          egress = "PRIVATE_RANGES_ONLY"
          network_interfaces {
            subnetwork = vpc_access.value
          }
        }
      }

      containers {
        image = each.value.image
        args  = each.value.args

        resources {
          limits = { cpu = each.value.cpu, memory = each.value.memory }
        }

        dynamic "env" {
          for_each = each.value.environment_variables

          content {
            name  = env.key
            value = env.value
          }
        }

        dynamic "env" {
          for_each = each.value.secrets

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
  }

  lifecycle {
    ignore_changes = [client, client_version, template[0].template[0].containers[0].image]
  }

  depends_on = [time_sleep.grants]
}

resource "google_service_account" "scheduler" {
  project      = var.project_id
  account_id   = "${var.name}-schedule"
  display_name = "Starts the jobs of ${var.name}"
}

resource "google_cloud_run_v2_job_iam_member" "scheduler" {
  for_each = local.jobs

  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_job.job[each.key].name
  role     = "roles/run.invoker"
  member   = google_service_account.scheduler.member
}

resource "google_cloud_scheduler_job" "job" {
  for_each = local.jobs

  project          = var.project_id
  region           = var.region
  name             = local.names[each.key]
  schedule         = each.value.schedule
  time_zone        = var.time_zone
  attempt_deadline = "60s" # to start it, not for it to end

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.job[each.key].id}:run"
    headers     = { "Content-Type" = "application/json" }
    body        = base64encode("{}")

    # Google's own API takes an access token; an OIDC token is for services of ours.
    oauth_token {
      service_account_email = google_service_account.scheduler.email
      scope                 = "https://www.googleapis.com/auth/cloud-platform"
    }
  }

  retry_config {
    retry_count          = 3
    min_backoff_duration = "60s"
  }

  lifecycle {
    ignore_changes = [paused] # cap_spending may pause schedules
  }
}

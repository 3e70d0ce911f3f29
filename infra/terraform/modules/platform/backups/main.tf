# The backups themselves. prune_backups deletes here; what it deleted can be had back for a while, twice over.
resource "google_storage_bucket" "backups" {
  #checkov:skip=CKV_GCP_62:Cloud Audit Logs say who read or deleted what; usage logs are the older way
  #checkov:skip=CKV_GCP_63:as above
  project                     = var.project_id
  name                        = var.bucket
  location                    = var.region
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  deletion_policy             = "ABANDON" # destroy leaves backups; Google deletes no bucket that has any
  labels                      = var.labels

  versioning {
    enabled = true # an overwritten backup becomes an older version
  }

  soft_delete_policy {
    retention_duration_seconds = var.recoverable_days * 86400
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      with_state                 = "ARCHIVED"
      days_since_noncurrent_time = var.recoverable_days
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 1
    }
  }
}

# Copies in a second region that no one can delete early: no job, no automation, no owner of the first bucket.
# A bucket of its own, as Cloud Storage has long refused a retention policy and versioning on one.
resource "google_storage_bucket" "copies" {
  #checkov:skip=CKV_GCP_62:Cloud Audit Logs say who read or deleted what; usage logs are the older way
  #checkov:skip=CKV_GCP_63:as above
  #checkov:skip=CKV_GCP_78:nothing can be overwritten before the end of its retention
  project                     = coalesce(var.copies.project_id, var.project_id)
  name                        = "${var.bucket}-copies"
  location                    = var.copies.region
  storage_class               = var.copies.storage_class
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  deletion_policy             = "ABANDON" # as above
  labels                      = var.labels

  retention_policy {
    retention_period = tostring(var.copies.retention_days * 86400)
    is_locked        = var.copies.locked
  }

  soft_delete_policy {
    retention_duration_seconds = var.recoverable_days * 86400
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = var.copies.delete_after_days
    }
  }
}

data "google_storage_transfer_project_service_account" "transfer" {
  project = var.project_id
}

resource "google_storage_bucket_iam_member" "transfer_reads" {
  for_each = toset(["roles/storage.objectViewer", "roles/storage.legacyBucketReader"])

  bucket = google_storage_bucket.backups.name
  role   = each.key
  member = data.google_storage_transfer_project_service_account.transfer.member
}

resource "google_storage_bucket_iam_member" "transfer_writes" {
  for_each = toset(["roles/storage.objectCreator", "roles/storage.objectViewer", "roles/storage.legacyBucketReader"])

  bucket = google_storage_bucket.copies.name
  role   = each.key
  member = data.google_storage_transfer_project_service_account.transfer.member
}

resource "google_storage_transfer_job" "copies" {
  project     = var.project_id
  description = "Copies ${var.bucket} to ${var.copies.region}, every day"

  transfer_spec {
    gcs_data_source {
      bucket_name = google_storage_bucket.backups.name
    }
    gcs_data_sink {
      bucket_name = google_storage_bucket.copies.name
    }
    transfer_options {
      overwrite_when                = "NEVER"
      delete_objects_unique_in_sink = false # what was pruned stays here
    }
  }

  schedule {
    repeat_interval = "86400s"
    schedule_start_date {
      year  = 2026
      month = 1
      day   = 1
    }
    start_time_of_day {
      hours   = var.copies.hour
      minutes = 0
      seconds = 0
      nanos   = 0
    }
  }

  depends_on = [google_storage_bucket_iam_member.transfer_reads, google_storage_bucket_iam_member.transfer_writes]
}

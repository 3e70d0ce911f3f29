mock_provider "time" {}

mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = { member = "serviceAccount:job@my-product.iam.gserviceaccount.com", email = "job@my-product.iam.gserviceaccount.com" }
  }
  mock_resource "google_cloud_run_v2_job" {
    defaults = { id = "projects/my-product/locations/europe-west1/jobs/backups-take" }
  }
  mock_data "google_storage_transfer_project_service_account" {
    defaults = { member = "serviceAccount:project-1@storage-transfer-service.iam.gserviceaccount.com" }
  }
}

variables {
  project_id = "my-product"
  bucket     = "my-product-backups"
  region     = "europe-west1"
  copies     = { region = "europe-north1" }
}

run "backups_in_two_regions" {
  command = apply
  module {
    source = "./backups"
  }
  variables {
    back_up = { image = "europe-docker.pkg.dev/my-caretaker/jobs/back-up:v1", secrets = { PGPASSWORD = { secret = "password", version = "1" } } }
    prove   = { image = "europe-docker.pkg.dev/my-caretaker/jobs/prove:v1" }
  }
  assert {
    condition     = google_storage_bucket.backups.versioning[0].enabled && google_storage_bucket.backups.soft_delete_policy[0].retention_duration_seconds == 1209600 && length(google_storage_bucket.backups.retention_policy) == 0
    error_message = "What was deleted can be had back; a retention policy would stop the pruning."
  }
  assert {
    condition     = google_storage_bucket.copies.location == "europe-north1" && google_storage_bucket.copies.retention_policy[0].retention_period == "2592000"
    error_message = "Copies elsewhere, which cannot be deleted for 30 days."
  }
  assert {
    condition     = alltrue([for bucket in [google_storage_bucket.backups, google_storage_bucket.copies] : bucket.public_access_prevention == "enforced" && bucket.uniform_bucket_level_access])
    error_message = "Never public."
  }
  assert {
    condition     = alltrue([for role in google_project_iam_custom_role.job : !contains(role.permissions, "storage.objects.delete")]) && can(regex("^backups_back_up_[0-9]{14}$", google_project_iam_custom_role.job["back_up"].role_id))
    error_message = "Neither job deletes, and so neither overwrites; the id of a destroyed role does not block the next apply."
  }
  assert {
    condition     = google_cloud_scheduler_job.job["back_up"].http_target[0].uri == "https://run.googleapis.com/v2/projects/my-product/locations/europe-west1/jobs/backups-take:run" && length(google_cloud_scheduler_job.job["back_up"].http_target[0].oauth_token) == 1
    error_message = "Google's API takes an access token."
  }
  assert {
    condition     = google_storage_transfer_job.copies.transfer_spec[0].transfer_options[0].delete_objects_unique_in_sink == false
    error_message = "What was pruned stays among the copies until its time."
  }
}

run "backups_leave_images_alone" {
  command = plan
  module {
    source = "./backups"
  }
  variables {
    back_up = { image = "europe-docker.pkg.dev/my-caretaker/jobs/back-up:v2" }
  }
  assert {
    condition     = google_cloud_run_v2_job.job["back_up"].template[0].template[0].containers[0].image == "europe-docker.pkg.dev/my-caretaker/jobs/back-up:v1"
    error_message = "Images are continuous integration's."
  }
}

run "backups_refuse_one_region" {
  command = plan
  module {
    source = "./backups"
  }
  variables {
    copies           = { region = "europe-west1", delete_after_days = 10 }
    recoverable_days = 1
  }
  expect_failures = [var.copies, var.recoverable_days]
}

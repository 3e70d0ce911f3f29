output "bucket" {
  description = "The bucket of the backups, for the settings of prune_backups."
  value       = google_storage_bucket.backups.name
}

output "copies" {
  description = "The bucket of the copies."
  value       = google_storage_bucket.copies.name
}

output "jobs" {
  description = "The names of the jobs, by what they do."
  value       = { for key, job in google_cloud_run_v2_job.job : key => job.name }
}

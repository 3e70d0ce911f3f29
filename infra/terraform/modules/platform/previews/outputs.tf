output "registry" {
  description = "What names of images begin with: the workflow's REGISTRY, and the image setting of manage_previews."
  value       = "${google_artifact_registry_repository.previews.location}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.previews.repository_id}"
}

output "preview_account" {
  description = "The email of the account that previews run as."
  value       = google_service_account.preview.email
}

output "workload_identity_provider" {
  description = "The workflow's WORKLOAD_IDENTITY_PROVIDER."
  value       = google_iam_workload_identity_pool_provider.github.name
}

output "cluster" {
  description = "The name of the cluster."
  value       = google_container_cluster.workers.name
}

output "location" {
  description = "Where it is."
  value       = google_container_cluster.workers.location
}

output "service_account" {
  description = "The email of the Google account that the workers are."
  value       = google_service_account.workload.email
}

output "workload" {
  description = "The namespace and the Kubernetes service account of the workers, for the module `manifests`."
  value       = var.workload
}

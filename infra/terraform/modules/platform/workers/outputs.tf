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

output "manifest" {
  description = "The namespace and the Kubernetes service account that are bound to it, for `kubectl apply -f -`."
  value = join("---\n", [
    yamlencode({ apiVersion = "v1", kind = "Namespace", metadata = { name = var.workload.namespace } }),
    yamlencode({
      apiVersion = "v1"
      kind       = "ServiceAccount"
      metadata = {
        name        = var.workload.kubernetes_service_account
        namespace   = var.workload.namespace
        annotations = { "iam.gke.io/gcp-service-account" = google_service_account.workload.email }
      }
    }),
  ])
}

output "address" {
  description = "Where the product answers."
  value       = "https://${local.public_host}"
}

output "dns" {
  description = "The addresses for the A and AAAA records of the domains."
  value       = local.has_edge ? module.edge[0].addresses : {}
}

output "max_connections" {
  description = "How many connections PostgreSQL takes."
  value       = module.database.max_connections
}

output "workers_manifest" {
  description = "The Kubernetes objects of the workers, for `kubectl apply -f -`."
  value       = var.workers == null ? "" : module.manifests[0].manifest
}

output "previews" {
  description = "What the workflow and manage_previews need to know."
  value = length(var.github_repositories) == 0 ? {} : {
    registry                   = module.previews[0].registry
    preview_account            = module.previews[0].preview_account
    workload_identity_provider = module.previews[0].workload_identity_provider
  }
}

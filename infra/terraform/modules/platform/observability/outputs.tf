output "environment_variables" {
  description = "What the service is to be given so that it traces as much as was asked for."
  value       = { TRACE_RATIO = tostring(var.trace_ratio) }
}

output "slos" {
  description = "The names of the service-level objectives."
  value       = local.slo_names
}

output "dashboard" {
  description = "The id of the dashboard."
  value       = google_monitoring_dashboard.product.id
}

output "log_buckets" {
  description = "The log buckets, by class."
  value       = { for key, bucket in google_logging_project_bucket_config.class : key => bucket.id }
}

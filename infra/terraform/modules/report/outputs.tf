output "uri" {
  description = "The address of the page."
  value       = google_cloud_run_v2_service.report.uri
}

output "account" {
  description = "The account that the service runs as."
  value       = google_service_account.report.email
}

output "settings" {
  description = "The settings that the service is given."
  value       = var.settings
}

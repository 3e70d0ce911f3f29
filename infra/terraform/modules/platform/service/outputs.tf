output "name" {
  description = "The name of the service, the same in every region."
  value       = var.name
}

output "regions" {
  description = "The regions that it runs in, once it does."
  value       = toset([for region, service in google_cloud_run_v2_service.service : service.location])
}

output "uris" {
  description = "Its address in each region."
  value       = { for region, service in google_cloud_run_v2_service.service : region => service.uri }
}

output "service_account" {
  description = "The email of its account."
  value       = google_service_account.service.email
}

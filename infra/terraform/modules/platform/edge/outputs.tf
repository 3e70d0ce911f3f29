output "addresses" {
  description = "The addresses for the A (v4) and AAAA (v6) records of the domains."
  value       = { for version, address in google_compute_global_address.address : version => address.address }
}

output "backend_services" {
  description = "The backend services, by what they serve."
  value       = { api = google_compute_backend_service.api.id, static = google_compute_backend_service.static.id }
}

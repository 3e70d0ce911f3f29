output "id" {
  description = "The policy, for the module `edge`."
  value       = google_compute_security_policy.policy.id
}

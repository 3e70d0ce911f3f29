output "secret" {
  description = "The full name of the secret."
  value       = "projects/${google_secret_manager_secret.rotated.project}/secrets/${google_secret_manager_secret.rotated.secret_id}"
}

output "next_rotation_time" {
  description = "When Secret Manager tells the topic next, as far as Terraform has seen."
  value       = one(google_secret_manager_secret.rotated.rotation).next_rotation_time
}

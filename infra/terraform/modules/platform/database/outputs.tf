output "instance" {
  description = "The name of the instance."
  value       = google_sql_database_instance.postgres.name
}

output "connection_name" {
  description = "PROJECT:REGION:INSTANCE, for Cloud SQL's connectors."
  value       = google_sql_database_instance.postgres.connection_name
}

output "host" {
  description = "Its private address."
  value       = google_sql_database_instance.postgres.private_ip_address
}

output "database" {
  description = "The name of the database."
  value       = google_sql_database.database.name
}

output "user" {
  description = "Who the product logs in as."
  value       = google_sql_user.application.name
}

output "password" {
  description = "The secret that holds the password, and the number of the version to use: what the suite has promoted, or the first."
  value = {
    secret  = google_secret_manager_secret.password.secret_id
    version = tostring(try(local.rotation_state.promoted, google_secret_manager_secret_version.first.version))
  }
}

output "max_connections" {
  description = "How many connections PostgreSQL takes, reckoned from who connects."
  value       = local.max_connections
}

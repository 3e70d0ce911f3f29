output "instance" {
  description = "The name of the instance that serves: the replica, once it is promoted."
  value       = local.serving.name
}

output "connection_name" {
  description = "PROJECT:REGION:INSTANCE, for Cloud SQL's connectors."
  value       = local.serving.connection_name
}

output "host" {
  description = "Its private address."
  value       = local.serving.private_ip_address
}

output "replica" {
  description = "The name and the private address of the replica, for when it has to be promoted; none without."
  value       = one([for replica in google_sql_database_instance.replica : { instance = replica.name, host = replica.private_ip_address }])
}

output "database" {
  description = "The name of the database."
  value       = google_sql_database.database.name
}

output "users" {
  description = "Who logs in, by what for."
  value       = { for key, user in google_sql_user.login : key => user.name }
}

output "address" {
  description = "The secret that holds the database's address with user and password, and the number of the version to use: the one that rotate_secrets has promoted, or the first."
  value       = { secret = google_secret_manager_secret.login["application"].secret_id, version = local.promoted }
}

output "admin_secret" {
  description = "The full name of the secret for `admin_secret` of rotate_secrets; none without rotation."
  value       = try(google_secret_manager_secret.login["admin"].id, null)
}

output "backup_password" {
  description = "The secret that holds the password of the backup's user, and the number of its version; none without the user."
  value = var.backup_user == null ? null : {
    secret  = google_secret_manager_secret.login["backup"].secret_id
    version = google_secret_manager_secret_version.first["backup"].version
  }
}

output "max_connections" {
  description = "How many connections PostgreSQL allows, calculated from its clients."
  value       = local.max_connections
}

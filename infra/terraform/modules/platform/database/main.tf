locals {
  # None kept in serverless: an instance holds as many as it answers requests. Workers keep a pool each, with its overflow.
  serverless = var.connections.serverless_instances * var.connections.serverless_requests
  workers    = var.connections.workers * (var.connections.pool_size + var.connections.max_overflow)
  # For a person, the backup job, Cloud SQL's own agents, and a deployment's second set of workers while it rolls.
  max_connections = max(25, local.serverless + local.workers + var.connections.reserved)

  flags = merge(
    {
      max_connections = tostring(local.max_connections)
      # A client that vanished, with its instance, holds its connection no longer than this (milliseconds).
      idle_in_transaction_session_timeout = "60000"
      log_checkpoints                     = "on"
      log_lock_waits                      = "on"
      log_min_duration_statement          = "-1" # statements can hold personal data; Query Insights has the slow ones
      log_min_error_statement             = "error"
      log_min_messages                    = "warning"
      log_statement                       = "ddl"
      "cloudsql.enable_pgaudit"           = "on"
    },
    var.flags,
  )
}

# The range that Google's services may have in this network, and the peering to them. A network has one.
resource "google_compute_global_address" "services" {
  count = var.private_services_access ? 1 : 0

  project       = var.project_id
  name          = "${var.name}-services"
  network       = var.network
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  prefix_length = 20
}

resource "google_service_networking_connection" "services" {
  count = var.private_services_access ? 1 : 0

  network                 = var.network
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.services[0].name]
  # Google refuses to delete it for days after the last instance. It ends with the network; a new apply takes it over.
  deletion_policy         = "ABANDON"
  update_on_creation_fail = true
}

resource "google_sql_database_instance" "postgres" {
  #checkov:skip=CKV_GCP_6:TLS is asked for; certificates of clients would be one more secret to rotate, for an address that is private
  #checkov:skip=CKV_GCP_52:without a pool every request connects, and would be a line
  #checkov:skip=CKV_GCP_53:as above
  #checkov:skip=CKV_GCP_108:a name server would be asked at each connection
  #checkov:skip=CKV2_GCP_13:Query Insights has the durations, without a line for each statement
  project             = var.project_id
  name                = var.name
  region              = var.region
  database_version    = var.database_version
  deletion_protection = var.deletion_protection # Terraform's

  settings {
    edition                     = "ENTERPRISE"
    tier                        = var.tier
    availability_type           = var.highly_available ? "REGIONAL" : "ZONAL"
    disk_type                   = "PD_SSD"
    disk_size                   = var.disk_gb
    disk_autoresize             = true
    deletion_protection_enabled = var.deletion_protection # Google's, whatever deletes it
    retain_backups_on_delete    = true
    user_labels                 = var.labels

    ip_configuration {
      ipv4_enabled    = false
      private_network = var.network
      ssl_mode        = "ENCRYPTED_ONLY"
    }

    backup_configuration {
      enabled                        = true
      start_time                     = "02:00"
      location                       = var.backup_location
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = 7
      backup_retention_settings {
        retained_backups = 14
        retention_unit   = "COUNT"
      }
    }

    insights_config {
      query_insights_enabled  = true
      record_application_tags = true
      record_client_address   = false
    }

    maintenance_window {
      day          = 7 # Sunday
      hour         = 3
      update_track = "stable"
    }

    dynamic "database_flags" {
      for_each = local.flags

      content {
        name  = database_flags.key
        value = database_flags.value
      }
    }
  }

  lifecycle {
    ignore_changes = [settings[0].disk_size] # it grows by itself
  }

  depends_on = [google_service_networking_connection.services]
}

resource "google_sql_database" "database" {
  project         = var.project_id
  instance        = google_sql_database_instance.postgres.name
  name            = var.database
  deletion_policy = "ABANDON" # PostgreSQL refuses while anyone is connected; it goes with its instance
}

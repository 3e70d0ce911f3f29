# A copy in a second region that follows the first, by seconds. When the region of the first one fails, this one is promoted:
# docs/operate.md, *The region of the database fails*. https://cloud.google.com/sql/docs/postgres/replication/cross-region-replicas

locals {
  replica_serves = try(var.replica.promoted, false)
  # Where the product connects, also after that.
  serving = local.replica_serves ? google_sql_database_instance.replica[0] : google_sql_database_instance.postgres
}

resource "google_sql_database_instance" "replica" {
  #checkov:skip=CKV_GCP_6:as of the first instance
  #checkov:skip=CKV_GCP_14:a replica has no backups of its own before it is promoted
  #checkov:skip=CKV_GCP_52:as of the first instance
  #checkov:skip=CKV_GCP_53:as of the first instance
  #checkov:skip=CKV_GCP_108:as of the first instance
  #checkov:skip=CKV2_GCP_13:as of the first instance
  count = var.replica == null ? 0 : 1

  project              = var.project_id
  name                 = "${var.name}-replica"
  region               = var.replica.region
  database_version     = var.database_version
  instance_type        = local.replica_serves ? "CLOUD_SQL_INSTANCE" : "READ_REPLICA_INSTANCE"
  master_instance_name = local.replica_serves ? null : google_sql_database_instance.postgres.name
  deletion_protection  = var.deletion_protection

  settings {
    edition                     = "ENTERPRISE"
    tier                        = coalesce(var.replica.tier, var.tier)
    availability_type           = local.replica_serves && var.highly_available ? "REGIONAL" : "ZONAL"
    disk_type                   = "PD_SSD"
    disk_size                   = var.disk_gb
    disk_autoresize             = true
    deletion_protection_enabled = var.deletion_protection
    retain_backups_on_delete    = true
    user_labels                 = var.labels

    ip_configuration {
      ipv4_enabled    = false
      private_network = var.network
      ssl_mode        = "ENCRYPTED_ONLY"
    }

    dynamic "backup_configuration" {
      for_each = local.replica_serves ? [var.backup_location] : []

      content {
        enabled                        = true
        start_time                     = "02:00"
        location                       = backup_configuration.value
        point_in_time_recovery_enabled = true
        transaction_log_retention_days = 7
      }
    }

    insights_config {
      query_insights_enabled  = true
      record_application_tags = true
      record_client_address   = false
    }

    # PostgreSQL refuses a standby that takes fewer connections than its primary.
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
}

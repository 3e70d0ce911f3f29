# The first password. It is in no state and no plan: it is made while applying, and goes to Secret Manager and to the user.
ephemeral "random_password" "first" {
  length  = 40
  special = false
}

resource "google_secret_manager_secret" "password" {
  project             = var.project_id
  secret_id           = "${var.name}-password"
  labels              = var.labels
  version_destroy_ttl = "2592000s" # a destroyed version can be had back for 30 days

  replication {
    auto {}
  }

  dynamic "topics" {
    for_each = var.rotation == null ? [] : [var.rotation.topic]

    content {
      name = topics.value
    }
  }

  dynamic "rotation" {
    for_each = var.rotation == null ? [] : [var.rotation.days]

    content {
      rotation_period    = "${rotation.value * 86400}s"
      next_rotation_time = timeadd(plantimestamp(), "${rotation.value * 24}h")
    }
  }

  lifecycle {
    # rotate_secrets keeps its state in annotations and writes aliases for people; Google moves the next time on.
    ignore_changes = [annotations, version_aliases, rotation[0].next_rotation_time]
  }
}

resource "google_secret_manager_secret_version" "first" {
  secret                 = google_secret_manager_secret.password.id
  secret_data_wo         = ephemeral.random_password.first.result
  secret_data_wo_version = "1"
  deletion_policy        = "ABANDON"

  lifecycle {
    # rotate_secrets retires it one day; Terraform would enable it again.
    ignore_changes = [enabled]
  }

  # At the last moment before the user, as both must be made by the same apply: each apply has a password of its own.
  depends_on = [google_sql_database.database]
}

resource "google_sql_user" "application" {
  project             = var.project_id
  instance            = google_sql_database_instance.postgres.name
  name                = var.user
  password_wo         = ephemeral.random_password.first.result
  password_wo_version = tonumber(google_secret_manager_secret_version.first.version)
  deletion_policy     = "ABANDON" # it owns tables; it goes with its instance
}

locals {
  # Who logs in: the product, as one user or as two that take turns; who changes their passwords; who backs up.
  users = merge(
    { application = { name = var.users[0], roles = null } },
    length(var.users) < 2 ? {} : { alternate = { name = var.users[1], roles = null } },
    var.rotation == null ? {} : { admin = { name = "caretaker", roles = null } },
    var.backup_user == null ? {} : { backup = { name = var.backup_user, roles = ["pg_read_all_data"] } },
  )

  # What is kept in Secret Manager: an address, as rotate_secrets has it, or a password alone, as libpq's variables do.
  secrets = merge(
    { application = { id = "${var.name}-url", is_address = true } },
    var.rotation == null ? {} : { admin = { id = "${var.name}-admin-url", is_address = true } },
    var.backup_user == null ? {} : { backup = { id = "${var.name}-backup-password", is_address = false } },
  )

  # What rotate_secrets keeps on the secret says which version is promoted; before that it is the first.
  promoted = try(
    tostring(jsondecode(google_secret_manager_secret.login["application"].effective_annotations["caretaker-rotation"]).current),
    google_secret_manager_secret_version.first["application"].version,
  )
}

# The first passwords. They are in no state and no plan: they are made while applying, and go to Secret Manager and to
# PostgreSQL.
ephemeral "random_password" "first" {
  for_each = local.users

  length  = 40
  special = false # so that it needs no escaping in a URL
}

resource "google_secret_manager_secret" "login" {
  for_each = local.secrets

  project             = var.project_id
  secret_id           = each.value.id
  labels              = var.labels
  version_destroy_ttl = "2592000s" # a destroyed version can be had back for 30 days

  replication {
    auto {}
  }

  dynamic "topics" {
    for_each = each.key == "application" && var.rotation != null ? [var.rotation.topic] : []

    content {
      name = topics.value
    }
  }

  dynamic "rotation" {
    for_each = each.key == "application" && var.rotation != null ? [var.rotation.days] : []

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
  for_each = local.secrets

  secret                 = google_secret_manager_secret.login[each.key].id
  secret_data_wo         = each.value.is_address ? "postgresql://${local.users[each.key].name}:${ephemeral.random_password.first[each.key].result}@${google_sql_database_instance.postgres.private_ip_address}/${var.database}?sslmode=require" : ephemeral.random_password.first[each.key].result
  secret_data_wo_version = "1"
  deletion_policy        = "ABANDON"

  lifecycle {
    # rotate_secrets retires it one day; Terraform would enable it again.
    ignore_changes = [enabled]
  }

  # At the last moment before the user, as both must be made by the same apply: each apply has passwords of its own.
  depends_on = [google_sql_database.database]
}

resource "google_sql_user" "login" {
  for_each = local.users

  project             = var.project_id
  instance            = google_sql_database_instance.postgres.name
  name                = each.value.name
  database_roles      = each.value.roles
  password_wo         = ephemeral.random_password.first[each.key].result
  password_wo_version = try(tonumber(google_secret_manager_secret_version.first[each.key].version), 1)
  deletion_policy     = "ABANDON" # it may own tables; it goes with its instance
}

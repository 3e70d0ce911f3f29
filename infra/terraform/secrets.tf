# The secrets that functions mount. They are made before any automation, as another may be granted something on them:
# rotate_secrets rotates them.

locals {
  mounted = merge([
    for name, entry in local.deployed : { for mounted in lookup(entry, "secrets", []) : mounted.secret => merge(mounted, { caretaker = replace(name, "_", "-") }) }
  ]...)
}

resource "google_secret_manager_secret" "mounted" {
  for_each = local.mounted

  project   = var.project_id
  secret_id = each.key
  labels    = merge(local.labels, { caretaker = each.value.caretaker })

  replication {
    auto {}
  }

  lifecycle {
    # A person, or rotate_secrets, sets these.
    ignore_changes = [annotations, version_aliases]
  }

  depends_on = [google_project_service.suite]
}

ephemeral "random_password" "first" {
  for_each = local.mounted

  length  = 40
  special = false
}

# Write-only: the value is in Secret Manager, and in neither plan nor state. It is the first one; rotating adds others.
resource "google_secret_manager_secret_version" "random" {
  for_each = { for secret, mounted in local.mounted : secret => mounted if mounted.first_version == "random" }

  secret                 = google_secret_manager_secret.mounted[each.key].id
  secret_data_wo         = ephemeral.random_password.first[each.key].result
  secret_data_wo_version = 1

  lifecycle {
    ignore_changes = [enabled]
  }
}

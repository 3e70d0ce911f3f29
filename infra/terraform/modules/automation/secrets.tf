resource "google_secret_manager_secret" "mounted" {
  for_each = local.mounted

  project   = var.suite.project_id
  secret_id = each.key
  labels    = local.labels

  replication {
    auto {}
  }

  lifecycle {
    # A person, or rotate_secrets, sets these.
    ignore_changes = [annotations, version_aliases]
  }
}

locals {
  mounted = { for mounted in var.entry.secrets : mounted.secret => mounted }
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

# Mounting reads as the function's own account.
resource "google_secret_manager_secret_iam_member" "mounted" {
  for_each = google_secret_manager_secret.mounted

  project   = var.suite.project_id
  secret_id = each.value.secret_id
  role      = google_project_iam_custom_role.role["${var.suite.project_id}/read_secrets"].id
  member    = google_service_account.function.member
}

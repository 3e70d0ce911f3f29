# What the suite remembers. Named, never (default), as IAM stops at the database.
resource "google_firestore_database" "state" {
  project                           = var.project_id
  name                              = local.database
  location_id                       = coalesce(var.firestore_location, var.region)
  type                              = "FIRESTORE_NATIVE"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = var.keep_state_on_destroy ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.keep_state_on_destroy ? "ABANDON" : "DELETE"

  depends_on = [google_project_service.suite]
}

# Documents are read by their names alone. An indexed one may have 40,000 entries, and a commit 10 MiB with its documents' index entries
# (https://firebase.google.com/docs/firestore/quotas#indexes, .../manage-data/transactions): records of 1,300 pools would be too many.
resource "google_firestore_field" "not_indexed" {
  for_each = toset(["records", "history"])

  project         = var.project_id
  database        = google_firestore_database.state.name
  collection      = each.key
  field           = "*"
  deletion_policy = "ABANDON"

  index_config {}
}

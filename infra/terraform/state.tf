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

# Each class of logs has a bucket of its own and is kept for as long as it is worth it. What is routed there is not
# stored in _Default as well, as each copy is paid.
resource "google_logging_project_bucket_config" "class" {
  for_each = var.log_classes

  project        = var.project_id
  location       = var.log_location
  bucket_id      = each.key
  retention_days = each.value.retention_days
  # destroy leaves the logs, and an apply takes the bucket over. Google keeps a deleted one for 7 days, in which it takes no change.
  deletion_policy = "ABANDON"
  description     = "${each.value.description}, kept for ${each.value.retention_days} days"
}

resource "google_logging_project_sink" "class" {
  for_each = var.log_classes

  project                = var.project_id
  name                   = each.key
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.class[each.key].id}"
  filter                 = each.value.filter
  unique_writer_identity = true
}

resource "google_logging_project_exclusion" "class" {
  for_each = var.log_classes

  project     = var.project_id
  name        = each.key
  description = "Kept in the bucket ${each.key}"
  filter      = each.value.filter

  depends_on = [google_logging_project_sink.class] # not left out before it is routed
}

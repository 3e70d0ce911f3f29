resource "google_monitoring_notification_channel" "email" {
  for_each = var.alerts.emails

  project      = var.project_id
  display_name = "Caretaker: ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }
  user_labels  = var.labels
}

resource "google_monitoring_notification_channel" "topic" {
  for_each = var.alerts.topics

  project      = var.project_id
  display_name = "Caretaker: ${each.key}"
  type         = "pubsub"
  labels       = { topic = each.key }
  user_labels  = var.labels
}

# Monitoring publishes as an account that it makes with the project's first such channel; without this grant nothing comes.
# https://cloud.google.com/monitoring/support/notification-options#pubsub
resource "google_pubsub_topic_iam_member" "notifies" {
  for_each = google_monitoring_notification_channel.topic

  topic  = each.key
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:service-${var.project_number}@gcp-sa-monitoring-notification.iam.gserviceaccount.com"
}

locals {
  channels = concat(
    [for channel in google_monitoring_notification_channel.email : channel.id],
    [for channel in google_monitoring_notification_channel.topic : channel.id],
    tolist(var.alerts.slack),
  )
}

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

locals {
  channels = concat(
    [for channel in google_monitoring_notification_channel.email : channel.id],
    [for channel in google_monitoring_notification_channel.topic : channel.id],
    tolist(var.alerts.slack),
  )
}

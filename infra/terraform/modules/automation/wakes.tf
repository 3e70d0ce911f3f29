locals {
  # Pub/Sub waits this long for an answer, and for 600 seconds at most, which the entry's time limit is checked for:
  # https://cloud.google.com/pubsub/docs/push
  ack_deadline_seconds = var.entry.time_limit_seconds + 30
  pubsub_agent         = "serviceAccount:service-${var.suite.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"

  # By the topic in the path a function tells whether a message may command.
  pushed = local.is_http ? {} : merge({ (local.inbox) = one(google_pubsub_topic.inbox).id }, var.topics)
}

resource "google_pubsub_topic" "inbox" {
  #checkov:skip=CKV_GCP_83:messages are hints without secrets; a key of one's own would be one more to keep, and to lock the suite out with

  count = local.is_http ? 0 : 1

  project = var.suite.project_id
  name    = local.inbox
  labels  = local.labels
}

resource "google_pubsub_topic" "dead_letters" {
  #checkov:skip=CKV_GCP_83:messages are hints without secrets; a key of one's own would be one more to keep, and to lock the suite out with

  count = local.is_http ? 0 : 1

  project = var.suite.project_id
  name    = "${local.inbox}-dead-letters"
  labels  = local.labels
}

# Keeps what has failed so often, for a person to look at and to publish again (docs/operate.md).
resource "google_pubsub_subscription" "dead_letters" {
  count = local.is_http ? 0 : 1

  project                    = var.suite.project_id
  name                       = "${local.inbox}-dead-letters"
  topic                      = one(google_pubsub_topic.dead_letters).id
  message_retention_duration = "1209600s" # 14 days
  ack_deadline_seconds       = 60
  labels                     = local.labels

  expiration_policy {
    ttl = "" # never
  }
}

resource "google_pubsub_subscription" "push" {
  for_each = local.pushed

  project                    = var.suite.project_id
  name                       = "${each.key}-to-${local.inbox}"
  topic                      = each.value
  filter                     = lookup(var.entry.filters, element(split("/", each.value), 3), null)
  ack_deadline_seconds       = local.ack_deadline_seconds
  message_retention_duration = "86400s" # one day: older hints are worth nothing
  labels                     = local.labels

  push_config {
    push_endpoint = "${google_cloudfunctions2_function.function.service_config[0].uri}/${each.value}"

    oidc_token {
      service_account_email = var.suite.push_account
      audience              = google_cloudfunctions2_function.function.service_config[0].uri
    }
  }

  retry_policy {
    minimum_backoff = "${var.entry.retry.minimum_backoff_seconds}s"
    maximum_backoff = "${var.entry.retry.maximum_backoff_seconds}s"
  }

  dead_letter_policy {
    dead_letter_topic     = one(google_pubsub_topic.dead_letters).id
    max_delivery_attempts = var.entry.dead_letter_after
  }

  expiration_policy {
    ttl = "" # never
  }

  depends_on = [google_cloud_run_v2_service_iam_binding.invoker, google_pubsub_topic_iam_member.agent_publishes]
}

# Pub/Sub moves dead letters as its own agent, which needs both of these.
# https://cloud.google.com/pubsub/docs/dead-letter-topics#grant_forwarding_permissions
resource "google_pubsub_topic_iam_member" "agent_publishes" {
  count = local.is_http ? 0 : 1

  project = var.suite.project_id
  topic   = one(google_pubsub_topic.dead_letters).name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "agent_acknowledges" {
  for_each = google_pubsub_subscription.push

  project      = var.suite.project_id
  subscription = each.value.name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

resource "google_cloud_scheduler_job" "tick" {
  count = var.entry.tick == null ? 0 : 1

  project     = var.suite.project_id
  region      = var.suite.region
  name        = "${local.inbox}-tick"
  description = "Time to look: ${var.entry.summary}"
  schedule    = var.entry.tick.schedule
  time_zone   = var.entry.tick.time_zone

  pubsub_target {
    topic_name = one(google_pubsub_topic.inbox).id
    data       = base64encode(jsonencode({ type = "tick", every_seconds = var.entry.tick.every_seconds }))
  }
}

resource "google_pubsub_topic" "notifications" {
  #checkov:skip=CKV_GCP_83:messages are hints without secrets; a key of one's own would be one more to keep, and to lock the suite out with

  project = var.project_id
  name    = var.topic
}

# Cloud Billing publishes as this account, for every billing account. No other account may publish here, because
# Caretaker acts on these messages. https://cloud.google.com/billing/docs/how-to/budgets-programmatic-notifications
resource "google_pubsub_topic_iam_binding" "publishers" {
  project = var.project_id
  topic   = google_pubsub_topic.notifications.name
  role    = "roles/pubsub.publisher"
  members = ["serviceAccount:billing-budget-alert@system.gserviceaccount.com"]
}

resource "google_billing_budget" "budget" {
  for_each = var.budgets

  billing_account = each.value.billing_account
  display_name    = coalesce(each.value.display_name, "caretaker ${each.key}")

  budget_filter {
    calendar_period = "MONTH"
    projects        = [for number in each.value.projects : "projects/${number}"]
  }

  amount {
    specified_amount {
      currency_code = each.value.currency
      units         = tostring(floor(each.value.amount))
      nanos         = floor((each.value.amount - floor(each.value.amount)) * 100 + 0.5) * 10000000
    }
  }

  dynamic "threshold_rules" {
    for_each = each.value.thresholds

    content {
      threshold_percent = threshold_rules.value.at
      spend_basis       = threshold_rules.value.on == "forecast" ? "FORECASTED_SPEND" : "CURRENT_SPEND"
    }
  }

  all_updates_rule {
    pubsub_topic = google_pubsub_topic.notifications.id
  }

  # Cloud Billing refuses a topic that it may not publish to.
  depends_on = [google_pubsub_topic_iam_binding.publishers]
}

mock_provider "time" {}

mock_provider "google" {}

variables {
  project_id     = "my-caretaker"
  project_number = "123456789012"
}

run "alerts_that_a_person_must_see" {
  command = plan
  module {
    source = "./modules/observability"
  }
  variables {
    automations = {
      cap_spending   = { subscriptions = ["b-to-caretaker-cap-spending", "a-to-caretaker-cap-spending"], dead_letters = "caretaker-cap-spending-dead-letters", every_seconds = 600 }
      prune_backups  = { subscriptions = ["caretaker-prune-backups-to-caretaker-prune-backups"], dead_letters = "caretaker-prune-backups-dead-letters", every_seconds = 43200 }
      receive_github = {}
    }
    alerts = {
      emails = ["oncall@example.com"]
      slack  = ["projects/my-caretaker/notificationChannels/123"]
      topics = ["projects/my-product/topics/alerts"]
    }
  }

  assert {
    condition = output.policies == tolist([
      "Caretaker: GPU nodes were requested and do not arrive",
      "Caretaker: a GPU pool is kept on by a signal without data",
      "Caretaker: a budget does not notify any more",
      "Caretaker: a change that matters to the bill has failed",
      "Caretaker: a guard has refused",
      "Caretaker: a rotation did not go as planned",
      "Caretaker: a rung of a budget is passed",
      "Caretaker: a secret is overdue",
      "Caretaker: a spend cap pauses usage, or was changed by hand",
      "Caretaker: a webhook was not published",
      "Caretaker: cap_spending does not keep up",
      "Caretaker: cap_spending has not run",
      "Caretaker: dead letters of cap_spending",
      "Caretaker: dead letters of prune_backups",
      "Caretaker: previews lack something that a person must give",
      "Caretaker: prune_backups does not keep up",
      "Caretaker: prune_backups has not run",
      "Caretaker: pruning backups was refused",
      "Caretaker: runs fail again and again",
      "Caretaker: something stays changed until a person acts",
      "Caretaker: something that a person must see",
      "Caretaker: the settings of a budget match no resource",
      "Caretaker: there are no new backups",
    ])
    error_message = "A policy for each thing, and for each automation that Pub/Sub wakes."
  }
  assert {
    condition     = join(" ", output.metrics) == "caretaker/alerts caretaker/budget_amount caretaker/cost caretaker/money_failures caretaker/refusals caretaker/runs caretaker/savings"
    error_message = "The metrics that policies and the dashboard are about."
  }
  assert {
    condition     = google_monitoring_alert_policy.silent["cap_spending"].conditions[0].condition_absent[0].duration == "1800s" && google_monitoring_alert_policy.silent["prune_backups"].conditions[0].condition_absent[0].duration == "84000s"
    error_message = "Three ticks, within what Monitoring allows."
  }
  assert {
    condition = (
      strcontains(google_monitoring_alert_policy.failing.conditions[0].condition_threshold[0].filter, "metric.labels.outcome=\"failed\"") &&
      google_monitoring_alert_policy.failing.conditions[0].condition_threshold[0].threshold_value == 2 &&
      google_monitoring_alert_policy.failing.conditions[0].condition_threshold[0].aggregations[0].alignment_period == "1800s" &&
      google_monitoring_alert_policy.failing.conditions[0].condition_threshold[0].aggregations[0].group_by_fields == tolist(["metric.label.automation"])
    )
    error_message = "The third failure of an automation within half an hour."
  }
  assert {
    condition     = alltrue([for policy in google_monitoring_alert_policy.matched : strcontains(policy.conditions[0].condition_matched_log[0].filter, "resource.labels.service_name=~\"^caretaker-\"") && length(policy.documentation[0].content) > 80])
    error_message = "Of the suite's own lines alone, and each says what to do."
  }
  assert {
    condition     = endswith(google_monitoring_alert_policy.oldest_message["cap_spending"].conditions[0].condition_threshold[0].filter, "=one_of(\"a-to-caretaker-cap-spending\",\"b-to-caretaker-cap-spending\")")
    error_message = "All subscriptions of the automation."
  }
  assert {
    condition     = google_monitoring_notification_channel.email["oncall@example.com"].labels.email_address == "oncall@example.com" && google_monitoring_notification_channel.topic["projects/my-product/topics/alerts"].labels.topic == "projects/my-product/topics/alerts"
    error_message = "A channel for each address and topic."
  }
  assert {
    condition     = google_pubsub_topic_iam_member.notifies["projects/my-product/topics/alerts"].member == "serviceAccount:service-123456789012@gcp-sa-monitoring-notification.iam.gserviceaccount.com"
    error_message = "Monitoring may publish to the topic."
  }
  assert {
    condition = alltrue([for tile in jsondecode(google_monitoring_dashboard.suite.dashboard_json).mosaicLayout.tiles :
      length(tile.widget.xyChart.dataSets) == 1 && (can(tile.widget.xyChart.dataSets[0].timeSeriesQuery.prometheusQuery) || can(tile.widget.xyChart.dataSets[0].timeSeriesQuery.timeSeriesFilter.filter))
    ])
    error_message = "Each chart asks for something."
  }
}

run "what_cannot_be_watched_or_told_is_refused" {
  command = plan
  module {
    source = "./modules/observability"
  }
  variables {
    automations = { prune_backups = { every_seconds = 86400 } }
    alerts      = { emails = ["oncall"], slack = ["#alerts"], topics = ["alerts"] }
  }
  expect_failures = [var.alerts, var.automations]
}

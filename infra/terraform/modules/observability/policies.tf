locals {
  # Matched in the log itself, so the notification comes within minutes and names the line.
  matched = {
    money = {
      title    = "a change that matters to the bill has failed"
      filter   = "${local.reports} AND jsonPayload.report.failed_money>0"
      severity = "CRITICAL"
      content  = "A change that was to save money did not succeed. It is tried again with every tick; look why it fails."
    }
    alerts = {
      title    = "something that a person must see"
      filter   = "${local.reports} AND jsonPayload.report.alerts.kind:*"
      severity = "ERROR"
      content  = "A stock-out, an overdue secret, a stale backup or the like: `jsonPayload.report.alerts` says which, of what, and why."
    }
    refusals = {
      title    = "a guard has refused"
      filter   = "${local.reports} AND jsonPayload.report.refusals.guard:*"
      severity = "WARNING"
      content  = "Something was not done, as it would have been unsafe: `jsonPayload.report.refusals` says what and why. Nothing of that subject goes on until somebody has looked."
    }
    budget = {
      title    = "a rung of a budget is passed"
      filter   = "${local.functions} AND jsonPayload.budget_alert.rung:*"
      severity = "WARNING"
      content  = "The action `notify` of the rung in `jsonPayload.budget_alert`."
    }
    webhooks = {
      title    = "a webhook was not published"
      filter   = "${local.functions} AND jsonPayload.webhook.outcome=\"not published\""
      severity = "ERROR"
      content  = "GitHub never sends a webhook again by itself: redeliver it there (Settings > Webhooks > Recent deliveries)."
    }
  }

  with_dead_letters = { for name, automation in var.automations : name => automation if automation.dead_letters != null }
  ticking           = { for name, automation in var.automations : name => automation if automation.every_seconds > 0 }
}

resource "google_monitoring_alert_policy" "matched" {
  for_each = local.matched

  project               = var.project_id
  display_name          = "Caretaker: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = each.value.title

    condition_matched_log {
      filter = each.value.filter
    }
  }

  # It is said on each run for as long as it is so: once an hour is enough.
  alert_strategy {
    auto_close = "86400s"

    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    content   = each.value.content
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "dead_letters" {
  for_each = local.with_dead_letters

  project               = var.project_id
  display_name          = "Caretaker: dead letters of ${each.key}"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "a message has failed for good"

    condition_threshold {
      filter          = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${each.value.dead_letters}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    content   = "How to look at it and to publish it again: docs/operate.md, *Replay a dead letter*."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "oldest_message" {
  for_each = { for name, automation in var.automations : name => automation if length(automation.subscriptions) > 0 }

  project               = var.project_id
  display_name          = "Caretaker: ${each.key} does not keep up"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "the oldest message that nothing has acknowledged"

    condition_threshold {
      filter          = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=one_of(${join(",", [for name in sort(tolist(each.value.subscriptions)) : "\"${name}\""])})"
      comparison      = "COMPARISON_GT"
      threshold_value = var.oldest_message_seconds
      duration        = "300s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    content   = "Runs fail and are delivered again, or none is started: look at the reports of ${each.key}."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "silent" {
  for_each = local.ticking

  project               = var.project_id
  display_name          = "Caretaker: ${each.key} has not run"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "no report for three ticks"

    condition_absent {
      filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["runs"].name}\" AND resource.type=\"cloud_run_revision\" AND metric.labels.automation=\"${each.key}\""
      # Monitoring looks back 23 hours and 30 minutes at most, which a daily tick exceeds: there, a missing day shows a day later.
      duration = "${min(84600, max(1800, 3 * each.value.every_seconds))}s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content   = "Is its Scheduler job paused, its subscription gone, its function broken? `./deploy.sh doctor` and `./deploy.sh status` tell."
    mime_type = "text/markdown"
  }
}

# What is seen in metrics: dead letters, the age of messages, silence, runs that fail.

locals {
  with_dead_letters = { for name, automation in var.automations : name => automation if automation.dead_letters != null }
  ticking           = { for name, automation in var.automations : name => automation if automation.every_seconds > 0 }
}

# Cloud Monitoring refuses an alert on a metric that is new: "it could take up to 10 minutes to become available". Waited for
# once, beside the builds of functions. https://github.com/hashicorp/terraform-provider-google/issues/11102
resource "time_sleep" "metrics" {
  create_duration = "600s"
  triggers        = { runs = google_logging_metric.counter["runs"].id }
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
      # Monitoring looks back 23 hours and 30 minutes at most, this and the alignment together.
      duration = "${min(84000, max(1800, 3 * each.value.every_seconds))}s"

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

  depends_on = [time_sleep.metrics]
}

# A tick that fails is superseded before it is a dead letter, and its report is no silence.
resource "google_monitoring_alert_policy" "failing" {
  project               = var.project_id
  display_name          = "Caretaker: runs fail again and again"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  user_labels           = var.labels

  conditions {
    display_name = "three runs of an automation within half an hour"

    condition_threshold {
      filter          = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.counter["runs"].name}\" AND resource.type=\"cloud_run_revision\" AND metric.labels.outcome=\"failed\""
      comparison      = "COMPARISON_GT"
      threshold_value = 2
      duration        = "0s"

      aggregations {
        alignment_period     = "1800s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.automation"]
      }
    }
  }

  documentation {
    content   = "`jsonPayload.report.why` of the latest reports says why the automation does nothing at all, `changes` with `outcome=\"failed\"` what it does not get done. A permission that is missing (`./deploy.sh doctor`), an API that does not answer, something that is gone. Each delivery and each tick tries again; until one succeeds, do by hand what it was to do."
    mime_type = "text/markdown"
  }

  depends_on = [time_sleep.metrics]
}

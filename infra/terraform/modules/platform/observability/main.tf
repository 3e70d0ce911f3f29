locals {
  run_service = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = \"${var.service}\""

  # The service-level objectives, each with how Cloud Monitoring counts it.
  slos = {
    availability = { goal = var.objectives.availability, display_name = "Reachable from anywhere, ${var.objectives.availability * 100} % of minutes" }
    errors       = { goal = 1 - var.objectives.error_ratio, display_name = "Less than ${var.objectives.error_ratio * 100} % of requests fail" }
    latency      = { goal = 0.95, display_name = "95 % of requests within ${var.objectives.p95_milliseconds} ms" }
  }

  # Two windows each, so that an alert comes when the budget is really burning, and goes when it has stopped.
  # https://sre.google/workbook/alerting-on-slos/
  burn_rates = {
    fast = { rate = 14.4, long = "3600s", short = "300s", severity = "CRITICAL", means = "2 % of the month's error budget in an hour" }
    slow = { rate = 6, long = "21600s", short = "1800s", severity = "WARNING", means = "5 % of the month's error budget in six hours" }
  }

  burn_alerts = merge([
    for slo in keys(local.slos) : { for speed, burn in local.burn_rates : "${slo}-${speed}" => merge(burn, { slo = slo, speed = speed }) }
  ]...)
}

resource "google_monitoring_custom_service" "product" {
  project      = var.project_id
  service_id   = var.service
  display_name = var.service
}

resource "google_monitoring_slo" "availability" {
  project             = var.project_id
  service             = google_monitoring_custom_service.product.service_id
  slo_id              = "availability"
  display_name        = local.slos.availability.display_name
  goal                = local.slos.availability.goal
  rolling_period_days = 28

  windows_based_sli {
    window_period = "60s"
    # A minute is good if a check from any region has passed in it.
    good_bad_metric_filter = "metric.type = \"monitoring.googleapis.com/uptime_check/check_passed\" AND resource.type = \"uptime_url\" AND metric.labels.check_id = \"${google_monitoring_uptime_check_config.health.uptime_check_id}\""
  }
}

resource "google_monitoring_slo" "errors" {
  project             = var.project_id
  service             = google_monitoring_custom_service.product.service_id
  slo_id              = "errors"
  display_name        = local.slos.errors.display_name
  goal                = local.slos.errors.goal
  rolling_period_days = 28

  # A ratio: failed requests of all requests.
  request_based_sli {
    good_total_ratio {
      bad_service_filter   = "metric.type = \"run.googleapis.com/request_count\" AND ${local.run_service} AND metric.labels.response_code_class = \"5xx\""
      total_service_filter = "metric.type = \"run.googleapis.com/request_count\" AND ${local.run_service}"
    }
  }
}

resource "google_monitoring_slo" "latency" {
  project             = var.project_id
  service             = google_monitoring_custom_service.product.service_id
  slo_id              = "latency"
  display_name        = local.slos.latency.display_name
  goal                = local.slos.latency.goal
  rolling_period_days = 28

  request_based_sli {
    distribution_cut {
      distribution_filter = "metric.type = \"run.googleapis.com/request_latencies\" AND ${local.run_service}"
      range {
        min = 0
        max = var.objectives.p95_milliseconds
      }
    }
  }
}

resource "google_monitoring_alert_policy" "burn" {
  for_each = local.burn_alerts

  project               = var.project_id
  display_name          = "${var.service}: ${each.value.slo} burns ${each.value.speed}"
  combiner              = "AND"
  severity              = each.value.severity
  notification_channels = var.notification_channels

  dynamic "conditions" {
    for_each = [each.value.long, each.value.short]

    content {
      display_name = "${each.value.rate} times as fast as it may, over ${conditions.value}"
      condition_threshold {
        filter          = "select_slo_burn_rate(\"${local.slo_names[each.value.slo]}\", \"${conditions.value}\")"
        comparison      = "COMPARISON_GT"
        threshold_value = each.value.rate
        duration        = "0s"
      }
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Objective: ${local.slos[each.value.slo].display_name}. At this rate: ${each.value.means}."
  }
}

locals {
  slo_names = {
    availability = google_monitoring_slo.availability.id
    errors       = google_monitoring_slo.errors.id
    latency      = google_monitoring_slo.latency.id
  }
}

resource "google_monitoring_uptime_check_config" "health" {
  project          = var.project_id
  display_name     = "${var.service} answers"
  period           = "60s"
  timeout          = "10s"
  selected_regions = var.uptime.regions

  http_check {
    path         = var.uptime.path
    port         = 443
    use_ssl      = true
    validate_ssl = true
    accepted_response_status_codes {
      status_class = "STATUS_CLASS_2XX"
    }
  }

  monitored_resource {
    type = "uptime_url"
    labels = {
      project_id = var.project_id
      host       = var.uptime.host
    }
  }
}

# Burn rates are about the month's budget, and can be silent while every fifth request is slow. These are about now.
locals {
  now = {
    errors = {
      title     = "more than ${var.error_ratio_alert * 100} % of requests fail"
      filter    = "metric.type = \"run.googleapis.com/request_count\" AND ${local.run_service} AND metric.labels.response_code_class = \"5xx\""
      of        = "metric.type = \"run.googleapis.com/request_count\" AND ${local.run_service}"
      threshold = var.error_ratio_alert
      aligner   = "ALIGN_RATE"
      reducer   = "REDUCE_SUM"
      severity  = "CRITICAL"
      content   = "For five minutes more than ${var.error_ratio_alert * 100} % of requests were answered with 5xx. Look at the errors in the log, at the newest revision, and at the database; if it began with a revision, send the traffic back to the one before."
    }
    latency = {
      title     = "p95 is over ${var.objectives.p95_milliseconds} ms"
      filter    = "metric.type = \"run.googleapis.com/request_latencies\" AND ${local.run_service}"
      of        = null
      threshold = var.objectives.p95_milliseconds
      aligner   = "ALIGN_DELTA"
      reducer   = "REDUCE_PERCENTILE_95"
      severity  = "WARNING"
      content   = "More than one request in twenty has taken longer than ${var.objectives.p95_milliseconds} ms for five minutes. Look at slow statements (Query Insights), at the number of instances against its maximum, and at traces."
    }
  }
}

resource "google_monitoring_alert_policy" "now" {
  for_each = local.now

  project               = var.project_id
  display_name          = "${var.service}: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = var.notification_channels

  conditions {
    display_name = each.value.title
    condition_threshold {
      filter             = each.value.filter
      denominator_filter = each.value.of
      comparison         = "COMPARISON_GT"
      threshold_value    = each.value.threshold
      duration           = "300s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
      }

      dynamic "denominator_aggregations" {
        for_each = each.value.of == null ? [] : [each.value.aligner]

        content {
          alignment_period     = "300s"
          per_series_aligner   = denominator_aggregations.value
          cross_series_reducer = each.value.reducer
        }
      }
    }
  }

  alert_strategy {
    auto_close = "86400s"
  }

  documentation {
    mime_type = "text/markdown"
    content   = each.value.content
  }
}

# From one region it may be that region.
resource "google_monitoring_alert_policy" "unreachable" {
  project               = var.project_id
  display_name          = "${var.service}: unreachable from several regions"
  combiner              = "OR"
  severity              = "CRITICAL"
  notification_channels = var.notification_channels

  conditions {
    display_name = "Checks fail from more than one region"
    condition_threshold {
      filter          = "metric.type = \"monitoring.googleapis.com/uptime_check/check_passed\" AND resource.type = \"uptime_url\" AND metric.labels.check_id = \"${google_monitoring_uptime_check_config.health.uptime_check_id}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "60s"
      aggregations {
        alignment_period     = "120s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
        group_by_fields      = ["resource.label.host"]
      }
      trigger {
        count = 1
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "https://${var.uptime.host}${var.uptime.path} does not answer with 2xx."
  }
}

mock_provider "google" {
  mock_resource "google_monitoring_slo" {
    defaults = { id = "projects/123456789012/services/product-api/serviceLevelObjectives/objective" }
  }
}

variables {
  project_id    = "my-product"
  service       = "product-api"
  uptime        = { host = "api.example.com" }
  workers       = { cluster = "product-workers" }
  subscriptions = ["reports-to-workers", "orders-to-workers"]
}

run "observability_counts_ratios_and_shows_them" {
  command = apply
  module {
    source = "./observability"
  }
  assert {
    condition     = google_monitoring_slo.errors.request_based_sli[0].good_total_ratio[0].total_service_filter != null && strcontains(google_monitoring_slo.errors.request_based_sli[0].good_total_ratio[0].bad_service_filter, "\"5xx\"")
    error_message = "Failed requests of all requests."
  }
  assert {
    condition     = google_monitoring_slo.errors.goal == 0.999 && google_monitoring_slo.availability.goal == 0.999 && google_monitoring_slo.latency.goal == 0.95
    error_message = "The goals of the plan."
  }
  assert {
    condition     = google_monitoring_slo.latency.request_based_sli[0].distribution_cut[0].range[0].max == 200
    error_message = "Within 200 ms."
  }
  assert {
    condition     = length(google_monitoring_alert_policy.burn) == 6 && alltrue([for policy in google_monitoring_alert_policy.burn : policy.combiner == "AND" && length(policy.conditions) == 2])
    error_message = "A fast and a slow alert for each objective, over two windows that must agree."
  }
  assert {
    condition     = [for condition in google_monitoring_alert_policy.burn["errors-fast"].conditions : condition.condition_threshold[0].threshold_value] == [14.4, 14.4]
    error_message = "14.4 times as fast as it may."
  }
  assert {
    condition     = google_monitoring_alert_policy.burn["errors-fast"].conditions[1].condition_threshold[0].filter == "select_slo_burn_rate(\"projects/123456789012/services/product-api/serviceLevelObjectives/objective\", \"300s\")"
    error_message = "An alert compares a burn rate, not a count."
  }
  assert {
    condition = (
      google_monitoring_alert_policy.now["errors"].conditions[0].condition_threshold[0].threshold_value == 0.01 &&
      strcontains(google_monitoring_alert_policy.now["errors"].conditions[0].condition_threshold[0].filter, "\"5xx\"") &&
      !strcontains(google_monitoring_alert_policy.now["errors"].conditions[0].condition_threshold[0].denominator_filter, "\"5xx\"") &&
      length(google_monitoring_alert_policy.now["errors"].conditions[0].condition_threshold[0].denominator_aggregations) == 1
    )
    error_message = "More than 1 % of failed requests alerts by itself, as a ratio."
  }
  assert {
    # Burn rates of a goal of 95 % end at 1 / 0.05 = 20: with 20 % of requests slow, at 4, below either alert's.
    condition = (
      google_monitoring_alert_policy.now["latency"].conditions[0].condition_threshold[0].threshold_value == 200 &&
      google_monitoring_alert_policy.now["latency"].conditions[0].condition_threshold[0].aggregations[0].cross_series_reducer == "REDUCE_PERCENTILE_95" &&
      google_monitoring_alert_policy.now["latency"].conditions[0].condition_threshold[0].denominator_filter == null
    )
    error_message = "A p95 over its goal alerts, however slowly the month's budget burns."
  }
  assert {
    condition     = length(google_monitoring_uptime_check_config.health.selected_regions) == 3 && google_monitoring_alert_policy.unreachable.conditions[0].condition_threshold[0].aggregations[0].cross_series_reducer == "REDUCE_COUNT_FALSE"
    error_message = "Asked from several regions, and one that fails is not enough."
  }
  assert {
    condition     = output.environment_variables.TRACE_RATIO == "0.1"
    error_message = "One request in ten is traced."
  }
  assert {
    condition = [for tile in jsondecode(google_monitoring_dashboard.product.dashboard_json).mosaicLayout.tiles : tile.widget.title] == [
      "Latency, ms", "Error ratio", "Reachable, of checks in an hour", "Deployment: until a revision serves, seconds", "Recovery: restore of the newest backup, seconds",
      "Cost", "Instances", "Memory of the workers", "Messages that wait", "Savings",
    ]
    error_message = "All that the plan wants to see."
  }
  assert {
    condition     = [for tile in jsondecode(google_monitoring_dashboard.product.dashboard_json).mosaicLayout.tiles : one(tile.widget.xyChart.thresholds[*].value) if length(tile.widget.xyChart.thresholds) > 0] == [200, 0.001, 0.999, 300, 900, 100]
    error_message = "An objective for each of the plan's six measures."
  }
  assert {
    condition = (
      regex("([0-9]+(?:[.][0-9]+)?)s[.]?$", "Ready condition status changed to True for Revision api-00001-abc with message: Deploying revision succeeded in 1m31.01s.")[0] == "31.01" &&
      regex("succeeded in ([0-9]+)m", "with message: Deploying revision succeeded in 1m31.01s.")[0] == "1" &&
      google_logging_metric.measured["deployment_seconds"].value_extractor == "REGEXP_EXTRACT(protoPayload.status.message, \"([0-9]+(?:[.][0-9]+)?)s[.]?$\")" &&
      google_logging_metric.measured["deployment_minutes"].value_extractor == "REGEXP_EXTRACT(protoPayload.status.message, \"succeeded in ([0-9]+)m\")"
    )
    error_message = "Minutes and seconds of Cloud Run's line are both counted."
  }
  assert {
    condition     = strcontains(jsondecode(google_monitoring_dashboard.product.dashboard_json).mosaicLayout.tiles[5].widget.xyChart.dataSets[0].timeSeriesQuery.prometheusQuery, "logging.googleapis.com/user/caretaker/cost_sum")
    error_message = "The cost so far is what Caretaker has made a metric of."
  }
  assert {
    condition     = [for set in jsondecode(google_monitoring_dashboard.product.dashboard_json).mosaicLayout.tiles[0].widget.xyChart.dataSets : set.timeSeriesQuery.timeSeriesFilter.aggregation.crossSeriesReducer] == ["REDUCE_PERCENTILE_50", "REDUCE_PERCENTILE_95", "REDUCE_PERCENTILE_99"]
    error_message = "Percentiles of all requests together."
  }
  assert {
    condition     = keys(jsondecode(google_monitoring_dashboard.product.dashboard_json).mosaicLayout.tiles[1].widget.xyChart.dataSets[0].timeSeriesQuery.timeSeriesFilterRatio) == ["denominator", "numerator"]
    error_message = "An error ratio has a denominator."
  }
  assert {
    condition     = length(distinct([for tile in jsondecode(google_monitoring_dashboard.product.dashboard_json).mosaicLayout.tiles : "${tile.xPos}-${tile.yPos}"])) == 10
    error_message = "No tile lies on another."
  }
  assert {
    condition     = { for key, bucket in google_logging_project_bucket_config.class : key => bucket.retention_days } == { product-application = 30, product-requests = 14, product-security = 400 }
    error_message = "Each class for as long as it is worth it."
  }
  assert {
    condition     = alltrue([for key, sink in google_logging_project_sink.class : google_logging_project_exclusion.class[key].filter == sink.filter && (!strcontains(sink.filter, "run.googleapis.com") || strcontains(sink.filter, "NOT resource.labels.service_name=~\"^caretaker-\""))])
    error_message = "What is routed is not stored in _Default as well, and what Caretaker says stays there."
  }
}

run "observability_refuses_what_means_nothing" {
  command = plan
  module {
    source = "./observability"
  }
  variables {
    objectives  = { availability = 99.9, recovery_seconds = 0 }
    uptime      = { host = "api.example.com", regions = ["EUROPE"] }
    trace_ratio = 10

    error_ratio_alert = 1.5
  }
  expect_failures = [var.objectives, var.uptime, var.trace_ratio, var.error_ratio_alert]
}

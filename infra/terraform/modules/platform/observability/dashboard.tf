locals {
  # One query of one series, as the dashboard's JSON has it.
  latencies = [for percentile in [50, 95, 99] : {
    legendTemplate = "p${percentile}"
    plotType       = "LINE"
    timeSeriesQuery = {
      timeSeriesFilter = {
        filter = "metric.type = \"run.googleapis.com/request_latencies\" AND ${local.run_service}"
        # Distributions are added up before the percentile is taken: a mean of percentiles is none.
        aggregation = { alignmentPeriod = "60s", perSeriesAligner = "ALIGN_DELTA", crossSeriesReducer = "REDUCE_PERCENTILE_${percentile}" }
      }
    }
  }]

  errors = [{
    legendTemplate = "failed of all"
    plotType       = "LINE"
    timeSeriesQuery = {
      timeSeriesFilterRatio = {
        numerator = {
          filter      = "metric.type = \"run.googleapis.com/request_count\" AND ${local.run_service} AND metric.labels.response_code_class = \"5xx\""
          aggregation = { alignmentPeriod = "60s", perSeriesAligner = "ALIGN_RATE", crossSeriesReducer = "REDUCE_SUM" }
        }
        denominator = {
          filter      = "metric.type = \"run.googleapis.com/request_count\" AND ${local.run_service}"
          aggregation = { alignmentPeriod = "60s", perSeriesAligner = "ALIGN_RATE", crossSeriesReducer = "REDUCE_SUM" }
        }
      }
    }
  }]

  availability = [{
    legendTemplate = "checks that passed"
    plotType       = "LINE"
    timeSeriesQuery = {
      timeSeriesFilter = {
        filter      = "metric.type = \"monitoring.googleapis.com/uptime_check/check_passed\" AND resource.type = \"uptime_url\" AND metric.labels.check_id = \"${google_monitoring_uptime_check_config.health.uptime_check_id}\""
        aggregation = { alignmentPeriod = "3600s", perSeriesAligner = "ALIGN_FRACTION_TRUE", crossSeriesReducer = "REDUCE_MEAN" }
      }
    }
  }]

  # What else Google counts: one filter, how it is aligned, what is added up, and the label that separates the lines.
  series = merge(
    {
      instances = {
        title   = "Instances"
        filter  = "metric.type = \"run.googleapis.com/container/instance_count\" AND ${local.run_service}"
        aligner = "ALIGN_MAX"
        by      = ["metric.label.state"]
      }
    },
    var.workers == null ? {} : {
      memory = {
        title   = "Memory of the workers"
        filter  = "metric.type = \"kubernetes.io/container/memory/used_bytes\" AND resource.type = \"k8s_container\" AND resource.labels.cluster_name = \"${var.workers.cluster}\" AND resource.labels.namespace_name = \"${var.workers.namespace}\" AND metric.labels.memory_type = \"non-evictable\""
        aligner = "ALIGN_MAX"
        by      = ["resource.label.pod_name"]
      }
    },
    length(var.subscriptions) == 0 ? {} : {
      queue = {
        title   = "Messages that wait"
        filter  = "metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = one_of(${join(", ", [for subscription in sort(tolist(var.subscriptions)) : "\"${subscription}\""])})"
        aligner = "ALIGN_MAX"
        by      = ["resource.label.subscription_id"]
      }
    },
  )

  # In alphabetical order, as they were asked for.
  queries = merge(
    { for key, series in local.series : key => {
      title = series.title
      query = jsonencode({
        timeSeriesFilter = {
          filter      = series.filter
          aggregation = { alignmentPeriod = "60s", perSeriesAligner = series.aligner, crossSeriesReducer = "REDUCE_SUM", groupByFields = series.by }
        }
      })
    } },
    { for key, promql in var.money : key => { title = title(key), query = jsonencode({ prometheusQuery = promql }) } },
  )

  tiles = concat(
    [
      { title = "Latency, ms", dataSets = local.latencies, threshold = var.objectives.p95_milliseconds },
      { title = "Error ratio", dataSets = local.errors, threshold = var.objectives.error_ratio },
      { title = "Reachable, of checks in an hour", dataSets = local.availability, threshold = var.objectives.availability },
    ],
    [for title, measured in {
      "Deployment: until a revision serves, seconds"    = { query = local.deployment, threshold = var.objectives.deployment_seconds }
      "Recovery: restore of the newest backup, seconds" = { query = local.recovery, threshold = var.objectives.recovery_seconds }
      } : {
      title     = title
      threshold = measured.threshold
      dataSets  = [{ legendTemplate = "", plotType = "LINE", timeSeriesQuery = { prometheusQuery = measured.query } }]
    }],
    [for key, asked in local.queries : {
      title     = asked.title
      threshold = key == "cost" ? var.objectives.monthly_cost : null
      dataSets  = [{ legendTemplate = "", plotType = "LINE", timeSeriesQuery = jsondecode(asked.query) }]
    }],
  )
}

resource "google_monitoring_dashboard" "product" {
  project = var.project_id

  dashboard_json = jsonencode({
    displayName = var.service
    mosaicLayout = {
      columns = 12
      tiles = [for index, tile in local.tiles : {
        xPos   = (index % 2) * 6
        yPos   = floor(index / 2) * 4
        width  = 6
        height = 4
        widget = {
          title = tile.title
          xyChart = {
            dataSets   = tile.dataSets
            thresholds = tile.threshold == null ? [] : [{ value = tile.threshold }]
            yAxis      = { scale = "LINEAR" }
          }
        }
      }]
    }
  })
}

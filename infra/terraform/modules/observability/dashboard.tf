locals {
  series = {
    for name in ["savings_sum", "cost_sum", "cost_count", "budget_amount_sum"] :
    name => "{\"logging.googleapis.com/user/caretaker/${name}\", monitored_resource=\"cloud_run_revision\"}"
  }
  user_metric = "metric.type=\"logging.googleapis.com/user/caretaker"
  revision    = "resource.type=\"cloud_run_revision\""
  messages    = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=monitoring.regex.full_match(\".*caretaker.*\")"

  charts = [
    { title = "Runs by outcome", filter = "${local.user_metric}/runs\" AND ${local.revision}", by = ["metric.label.automation", "metric.label.outcome"], aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM" },
    { title = "Refused by a guard", filter = "${local.user_metric}/refusals\" AND ${local.revision}", by = ["metric.label.automation"], aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM" },
    { title = "For a person to see", filter = "${local.user_metric}/alerts\" AND ${local.revision}", by = ["metric.label.automation"], aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM" },
    { title = "Failures that cost money", filter = "${local.user_metric}/money_failures\" AND ${local.revision}", by = ["metric.label.automation"], aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM" },
    { title = "Oldest message not acknowledged, in seconds", filter = "metric.type=\"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND ${local.messages}", by = ["resource.label.subscription_id"], aligner = "ALIGN_MAX", reducer = "REDUCE_MAX" },
    { title = "Messages not acknowledged, dead letters among them", filter = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND ${local.messages}", by = ["resource.label.subscription_id"], aligner = "ALIGN_MAX", reducer = "REDUCE_MAX" },
    # What lines say as numbers are distributions, whose sums and counts only PromQL asks for.
    { title = "Saved in a day", promql = "sum by (automation, currency) (increase(${local.series.savings_sum}[1d]))" },
    { title = "Cost so far of each budget", promql = "sum by (budget, currency) (increase(${local.series.cost_sum}[1h])) / sum by (budget, currency) (increase(${local.series.cost_count}[1h]))" },
    { title = "Part of each budget that is spent", promql = "sum by (budget) (increase(${local.series.cost_sum}[1h])) / sum by (budget) (increase(${local.series.budget_amount_sum}[1h]))" },
  ]

  queries = [
    for chart in local.charts : can(chart.promql) ? jsonencode({ prometheusQuery = chart.promql }) : jsonencode({
      timeSeriesFilter = {
        filter = chart.filter
        aggregation = {
          alignmentPeriod    = "300s"
          perSeriesAligner   = chart.aligner
          crossSeriesReducer = chart.reducer
          groupByFields      = chart.by
        }
      }
    })
  ]
}

resource "google_monitoring_dashboard" "suite" {
  project = var.project_id

  dashboard_json = jsonencode({
    displayName = "Caretaker"
    labels      = { for key, value in var.labels : key => "" }
    mosaicLayout = {
      columns = 12
      tiles = [
        for index, chart in local.charts : {
          xPos   = (index % 2) * 6
          yPos   = floor(index / 2) * 4
          width  = 6
          height = 4
          widget = {
            title = chart.title
            xyChart = {
              dataSets = [{ plotType = "LINE", timeSeriesQuery = jsondecode(local.queries[index]) }]
            }
          }
        }
      ]
    }
  })
}

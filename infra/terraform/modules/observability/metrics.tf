# What the reports of runs say (shared/report.py), as metrics. Messages and their age Pub/Sub counts itself.

locals {
  functions = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=~\"^caretaker-\""
  reports   = "${local.functions} AND jsonPayload.report.automation:*"

  counters = {
    runs = {
      filter      = local.reports
      description = "Runs, by automation, event and outcome."
      labels = {
        automation = "EXTRACT(jsonPayload.report.automation)"
        event      = "EXTRACT(jsonPayload.report.event)"
        mode       = "EXTRACT(jsonPayload.report.mode)"
        outcome    = "EXTRACT(jsonPayload.report.outcome)"
      }
    }
    refusals = {
      filter      = "${local.reports} AND jsonPayload.report.refusals.guard:*"
      description = "Runs in which a guard has refused something, by automation."
      labels      = { automation = "EXTRACT(jsonPayload.report.automation)" }
    }
    alerts = {
      filter      = "${local.reports} AND jsonPayload.report.alerts.kind:*"
      description = "Runs that have something to show to a person, by automation."
      labels      = { automation = "EXTRACT(jsonPayload.report.automation)" }
    }
    money_failures = {
      filter      = "${local.reports} AND jsonPayload.report.failed_money>0"
      description = "Runs in which a change that matters to the bill has failed, by automation."
      labels      = { automation = "EXTRACT(jsonPayload.report.automation)" }
    }
  }
}

resource "google_logging_metric" "counter" {
  for_each = local.counters

  project          = var.project_id
  name             = "caretaker/${each.key}"
  description      = each.value.description
  filter           = each.value.filter
  label_extractors = each.value.labels

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    dynamic "labels" {
      for_each = each.value.labels

      content {
        key = labels.key
      }
    }
  }
}

locals {
  # Distributions of numbers that lines have: their sum and their count are exact, and charts ask for these.
  amounts = {
    # Each report says what has been saved since the one before: the sum is what was saved.
    savings = {
      filter      = "${local.reports} AND jsonPayload.report.saved>0"
      description = "What was saved, in the currency of the settings, by automation: the sum over a time is what counts."
      value       = "EXTRACT(jsonPayload.report.saved)"
      labels = {
        automation = "EXTRACT(jsonPayload.report.automation)"
        currency   = "EXTRACT(jsonPayload.report.currency)"
      }
    }
    # Each time that a budget notifies, cap_spending says where it stands: the mean of the last hour is the cost so far.
    cost = {
      filter      = local.costs
      description = "What each budget has cost so far in its period, in its currency, whenever it notifies: the mean over an hour is what counts."
      value       = "EXTRACT(jsonPayload.budget_cost.cost)"
      labels      = local.of_a_budget
    }
    budget_amount = {
      filter      = local.costs
      description = "The amount of each budget, in its currency, whenever it notifies: the mean over an hour is what counts."
      value       = "EXTRACT(jsonPayload.budget_cost.amount)"
      labels      = local.of_a_budget
    }
  }
  costs = "${local.functions} AND jsonPayload.budget_cost.budget:*"
  of_a_budget = {
    budget   = "EXTRACT(jsonPayload.budget_cost.budget)"
    currency = "EXTRACT(jsonPayload.budget_cost.currency)"
  }
}

resource "google_logging_metric" "amount" {
  for_each = local.amounts

  project          = var.project_id
  name             = "caretaker/${each.key}"
  description      = each.value.description
  filter           = each.value.filter
  value_extractor  = each.value.value
  label_extractors = each.value.labels

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"

    dynamic "labels" {
      for_each = each.value.labels

      content {
        key = labels.key
      }
    }
  }
}

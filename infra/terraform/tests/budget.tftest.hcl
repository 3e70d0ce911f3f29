mock_provider "google" {}

variables {
  project_id = "my-caretaker"
}

run "a_budget_has_a_rule_for_each_rung" {
  command = plan
  module {
    source = "./modules/budget"
  }
  variables {
    budgets = {
      monthly = {
        billing_account = "0A1B2C-3D4E5F-6A7B8C"
        amount          = 400.29
        currency        = "USD"
        projects        = ["123456789012"]
        thresholds      = [{ at = 0.5 }, { at = 1.0, on = "forecast" }]
      }
    }
  }
  assert {
    condition     = [for rule in google_billing_budget.budget["monthly"].threshold_rules : "${rule.spend_basis} ${rule.threshold_percent}"] == ["CURRENT_SPEND 0.5", "FORECASTED_SPEND 1"]
    error_message = "One rule for each rung, with its basis."
  }
  assert {
    condition     = one(one(google_billing_budget.budget["monthly"].amount).specified_amount).units == "400" && one(one(google_billing_budget.budget["monthly"].amount).specified_amount).nanos == 290000000
    error_message = "Google counts whole units and billionths."
  }
  assert {
    condition     = one(google_billing_budget.budget["monthly"].budget_filter).projects == toset(["projects/123456789012"])
    error_message = "A budget filters by project number."
  }
  assert {
    condition     = google_pubsub_topic_iam_binding.publishers.members == toset(["serviceAccount:billing-budget-alert@system.gserviceaccount.com"])
    error_message = "Only Cloud Billing may publish."
  }
}

run "an_amount_is_to_the_cent" {
  command = plan
  module {
    source = "./modules/budget"
  }
  variables {
    budgets = {
      monthly = { billing_account = "0A1B2C-3D4E5F-6A7B8C", amount = 99.996, currency = "USD", thresholds = [{ at = 1 }] }
    }
  }
  expect_failures = [var.budgets]
}

run "wrong_budgets_are_refused" {
  command = plan
  module {
    source = "./modules/budget"
  }
  variables {
    budgets = {
      monthly = { billing_account = "mine", amount = 0, currency = "USD", projects = ["my-product"], thresholds = [{ at = 0, on = "projected" }] }
    }
  }
  expect_failures = [var.budgets]
}

mock_provider "google" {}

variables {
  project_id      = "my-caretaker"
  billing_account = "0A1B2C-3D4E5F-6A7B8C"
}

run "views_once_the_table_is_there" {
  command = plan
  module {
    source = "./modules/billing_export"
  }
  variables {
    table_is_there = true
  }
  assert {
    condition     = join(" ", output.views) == "cost_by_day_and_service cost_by_label cost_of_the_suite gpu_cost_by_hour savings_by_day"
    error_message = "The views."
  }
  assert {
    condition     = alltrue([for view in google_bigquery_table.view : strcontains(view.view[0].query, "FROM `my-caretaker.billing_export.gcp_billing_export_v1_0A1B2C_3D4E5F_6A7B8C`")])
    error_message = "They read the table that Cloud Billing makes."
  }
  assert {
    condition     = alltrue([for view in google_bigquery_table.view : strcontains(view.view[0].query, "_PARTITIONTIME") && strcontains(view.view[0].query, "UNNEST(credits)")])
    error_message = "They are bounded, and count credits."
  }
}

run "nothing_but_the_dataset_before" {
  command = plan
  module {
    source = "./modules/billing_export"
  }
  assert {
    condition     = length(google_bigquery_table.view) == 0 && strcontains(output.next_step, "In the console: Billing > Billing export")
    error_message = "BigQuery refuses a view on a table that is not there; the output lists what remains."
  }
}

run "wrong_names_are_refused" {
  command = plan
  module {
    source = "./modules/billing_export"
  }
  variables {
    billing_account = "mine"
    dataset         = "billing-export"
    label           = "Team"
  }
  expect_failures = [var.billing_account, var.dataset, var.label]
}

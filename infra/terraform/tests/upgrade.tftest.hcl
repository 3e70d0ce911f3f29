# What an upgrade must not touch: the first run is what is deployed, the others are plans on top of it.

mock_provider "time" {}

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  mock_resource "google_billing_budget" {
    defaults = { name = "billingAccounts/0A1B2C-3D4E5F-6A7B8C/budgets/8f3d2c1b-0a9e-4d5c-8b7a-6f5e4d3c2b1a" }
  }
  mock_resource "google_cloudfunctions2_function" {
    defaults = { service_config = { uri = "https://function.a.run.app" } }
  }
}

variables {
  budgets = { monthly = { amount = 400, projects = ["my-product"] } }
}

run "what_is_deployed" {
  command = apply
}

# A value that is unknown while planning is an error in an assertion, and would replace what it is a part of.
run "an_api_that_is_added_leaves_grants_alone" {
  command = plan
  variables {
    billing_export = { billing_account = "0A1B2C-3D4E5F-6A7B8C" }
  }
  assert {
    condition     = contains(keys(google_project_service.suite), "bigquery.googleapis.com")
    error_message = "An API is added."
  }
  assert {
    condition     = strcontains(google_project_iam_member.build_reads_copies.condition[0].expression, "gcf-v2-sources-123456789012-")
    error_message = "The build's grant, which a change would replace."
  }
  assert {
    condition     = google_service_account_iam_member.pubsub_signs.member == "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
    error_message = "The grant of Pub/Sub's agent."
  }
}

mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = { email = "caretaker-report@my-caretaker.iam.gserviceaccount.com", member = "serviceAccount:caretaker-report@my-caretaker.iam.gserviceaccount.com" }
  }
}

variables {
  project_id     = "my-caretaker"
  project_number = "123456789012"
  region         = "europe-west1"
  database       = "caretaker"
  settings       = "{\"mode\":\"observe\",\"cap_spending\":{}}"
  image          = "europe-west1-docker.pkg.dev/my-caretaker/images/report:v1"
  viewers        = ["group:team@example.com", "user:ada@example.com"]
}

run "the_page_is_behind_sign_in_and_may_read_alone" {
  module {
    source = "./modules/report"
  }
  assert {
    condition     = google_cloud_run_v2_service.report.iap_enabled && google_cloud_run_v2_service_iam_binding.invoker.members == toset(["serviceAccount:service-123456789012@gcp-sa-iap.iam.gserviceaccount.com"])
    error_message = "IAP is the only way in: it alone may call the service."
  }
  assert {
    condition = (
      { for one in [google_project_iam_member.reads_records, google_project_iam_member.reads_logs] : one.role => one.member } == {
        "roles/datastore.viewer" = "serviceAccount:caretaker-report@my-caretaker.iam.gserviceaccount.com"
        "roles/logging.viewer"   = "serviceAccount:caretaker-report@my-caretaker.iam.gserviceaccount.com"
      } && google_project_iam_member.reads_records.condition[0].expression == "resource.name == \"projects/my-caretaker/databases/caretaker\""
    )
    error_message = "Its account reads the suite's records, and logs, and nothing else."
  }
  assert {
    condition     = toset([for one in google_iap_web_cloud_run_service_iam_member.viewer : "${one.role} ${one.member}"]) == toset(["roles/iap.httpsResourceAccessor group:team@example.com", "roles/iap.httpsResourceAccessor user:ada@example.com"])
    error_message = "These may sign in."
  }
  assert {
    condition = { for one in google_cloud_run_v2_service.report.template[0].containers[0].env : one.name => one.value } == {
      CARETAKER_PROJECT  = "my-caretaker"
      CARETAKER_SETTINGS = "{\"mode\":\"observe\",\"cap_spending\":{}}"
      CARETAKER_AUDIENCE = "/projects/123456789012/locations/europe-west1/services/caretaker-report"
      TZ                 = "Etc/UTC"
    }
    error_message = "What report/service/__main__.py reads, and for whom IAP signs."
  }
}

run "nobody_and_everybody_are_refused" {
  command = plan
  module {
    source = "./modules/report"
  }
  variables {
    viewers = ["allUsers"]
  }
  expect_failures = [var.viewers]
}

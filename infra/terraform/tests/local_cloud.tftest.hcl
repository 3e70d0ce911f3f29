# What infra/deploy/resources.py makes on the local cloud is what the module makes. tests/resources.json is written by it:
# tests/infra/deploy/test_resources.py.

mock_provider "time" {}

mock_provider "google" {
  mock_resource "google_cloudfunctions2_function" {
    defaults = { service_config = { uri = "https://caretaker-rotate-secrets-abc.a.run.app" } }
  }
  mock_resource "google_service_account" {
    defaults = { email = "caretaker-x@my-caretaker.iam.gserviceaccount.com", member = "serviceAccount:caretaker-x@my-caretaker.iam.gserviceaccount.com" }
  }
}

run "the_local_cloud_has_the_same" {
  command = apply
  module {
    source = "./modules/automation"
  }
  variables {
    name          = "rotate_secrets"
    bundle        = "dist/rotate_secrets-0123456789abcdef.zip"
    settings      = "{}"
    entry         = yamldecode(file("./automations.yaml")).rotate_secrets
    grant_targets = yamldecode(file("./permissions.yaml"))
    topics        = { caretaker-secret-notifications = "projects/my-caretaker/topics/caretaker-secret-notifications" }
    suite = {
      project_id     = "my-caretaker"
      project_number = "123456789012"
      region         = "europe-west1"
      bucket         = "my-caretaker-caretaker-bundles"
      repository     = "projects/my-caretaker/locations/europe-west1/repositories/caretaker-functions"
      build_account  = "projects/my-caretaker/serviceAccounts/caretaker-build@my-caretaker.iam.gserviceaccount.com"
      push_account   = "caretaker-push@my-caretaker.iam.gserviceaccount.com"
      database       = "caretaker"
    }
  }

  assert {
    condition = alltrue([for one in google_pubsub_subscription.push : jsonencode(jsondecode(file("./tests/resources.json")).subscriptions[one.name]) == jsonencode({
      ack_deadline_seconds       = one.ack_deadline_seconds
      filter                     = one.filter == null ? "" : one.filter
      max_delivery_attempts      = one.dead_letter_policy[0].max_delivery_attempts
      maximum_backoff            = one.retry_policy[0].maximum_backoff
      message_retention_duration = one.message_retention_duration
      minimum_backoff            = one.retry_policy[0].minimum_backoff
    })])
    error_message = "The subscriptions that push are the same."
  }
  assert {
    condition = jsonencode(jsondecode(file("./tests/resources.json")).dead_letters[google_pubsub_subscription.dead_letters[0].name]) == jsonencode({
      ack_deadline_seconds       = google_pubsub_subscription.dead_letters[0].ack_deadline_seconds
      message_retention_duration = google_pubsub_subscription.dead_letters[0].message_retention_duration
    })
    error_message = "The subscription that keeps dead letters is the same."
  }
  assert {
    condition = jsonencode(jsondecode(file("./tests/resources.json")).ticks[google_cloud_scheduler_job.tick[0].name]) == jsonencode({
      data      = jsondecode(base64decode(google_cloud_scheduler_job.tick[0].pubsub_target[0].data))
      schedule  = google_cloud_scheduler_job.tick[0].schedule
      time_zone = google_cloud_scheduler_job.tick[0].time_zone
    })
    error_message = "The tick is the same."
  }
  assert {
    condition     = endswith(google_pubsub_subscription.push["caretaker-secret-notifications"].push_config[0].push_endpoint, ".run.app/${jsondecode(file("./tests/resources.json")).paths["caretaker-secret-notifications-to-caretaker-rotate-secrets"]}")
    error_message = "The topic is in the path of the push."
  }
  assert {
    condition     = length(setsubtract([for topic in [one(google_pubsub_topic.inbox), one(google_pubsub_topic.dead_letters)] : topic.name], jsondecode(file("./tests/resources.json")).topics)) == 0
    error_message = "The topics are the same."
  }
}

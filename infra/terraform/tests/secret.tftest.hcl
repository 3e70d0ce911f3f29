mock_provider "google" {}

variables {
  project_id = "my-product"
  secret_id  = "session-key"
  every_days = 30
  topic      = "projects/my-caretaker/topics/caretaker-secret-notifications"
}

run "a_secret_has_secret_managers_own_schedule" {
  command = apply
  module {
    source = "./modules/secret"
  }
  assert {
    condition     = one(google_secret_manager_secret.rotated.rotation).rotation_period == "2592000s" && one(google_secret_manager_secret.rotated.topics).name == "projects/my-caretaker/topics/caretaker-secret-notifications"
    error_message = "The topic gets a message every 30 days."
  }
  assert {
    condition     = timecmp(one(google_secret_manager_secret.rotated.rotation).next_rotation_time, timeadd(plantimestamp(), "719h")) > 0
    error_message = "The first time is when the first period is over."
  }
  assert {
    condition     = length(one(google_secret_manager_secret.rotated.replication).auto) == 1 && google_secret_manager_secret.rotated.deletion_policy == "ABANDON"
    error_message = "Google chooses where it is, and no destroy takes it away."
  }
}

run "what_changes_by_itself_plans_no_change" {
  command = plan
  module {
    source = "./modules/secret"
  }
  assert {
    condition     = one(google_secret_manager_secret.rotated.rotation).next_rotation_time == run.a_secret_has_secret_managers_own_schedule.next_rotation_time
    error_message = "The next time is Secret Manager's to move on."
  }
}

run "what_will_not_do_is_refused" {
  command = plan
  module {
    source = "./modules/secret"
  }
  variables {
    secret_id  = "session key"
    every_days = 0.5
    topic      = "caretaker-secret-notifications"
    locations  = ["europe-west1"]
  }
  expect_failures = [var.secret_id, var.every_days, var.topic]
}

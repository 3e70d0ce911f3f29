mock_provider "google" {
  mock_resource "google_secret_manager_secret_version" {
    defaults = { version = "1" }
  }
}

variables {
  project_id  = "my-product"
  name        = "product-postgres"
  region      = "europe-west1"
  tier        = "db-custom-2-7680"
  network     = "projects/my-product/global/networks/product"
  connections = { serverless_instances = 4, serverless_requests = 15, workers = 4 }
  rotation    = { topic = "projects/my-caretaker/topics/caretaker-secret-events" }
}

run "database_private_and_recoverable" {
  command = apply
  module {
    source = "./database"
  }
  override_resource {
    target = google_secret_manager_secret.password
    values = { id = "projects/my-product/secrets/product-postgres-password", effective_annotations = {} }
  }
  assert {
    condition     = !google_sql_database_instance.postgres.settings[0].ip_configuration[0].ipv4_enabled && google_sql_database_instance.postgres.settings[0].ip_configuration[0].ssl_mode == "ENCRYPTED_ONLY"
    error_message = "No public address, and TLS only."
  }
  assert {
    condition     = google_sql_database_instance.postgres.settings[0].backup_configuration[0].point_in_time_recovery_enabled && google_sql_database_instance.postgres.deletion_protection && google_sql_database_instance.postgres.settings[0].deletion_protection_enabled
    error_message = "Point-in-time recovery, and both protections from deletion."
  }
  assert {
    condition     = output.max_connections == 4 * 15 + 4 * (5 + 10) + 20
    error_message = "None kept in serverless, 5 + 10 in each worker, and a reserve."
  }
  assert {
    condition     = one([for flag in google_sql_database_instance.postgres.settings[0].database_flags : flag.value if flag.name == "max_connections"]) == "140"
    error_message = "Which is what PostgreSQL is told."
  }
  assert {
    condition     = output.password == { secret = "product-postgres-password", version = "1" }
    error_message = "Before any rotation the first version is the one."
  }
  assert {
    condition     = google_secret_manager_secret.password.rotation[0].rotation_period == "7776000s" && length(google_secret_manager_secret.password.topics) == 1
    error_message = "90 days, announced to the suite."
  }
}

run "database_keeps_the_time_of_the_next_rotation" {
  command = plan
  module {
    source = "./database"
  }
  variables {
    rotation = { topic = "projects/my-caretaker/topics/caretaker-secret-events", days = 30 }
  }
  assert {
    condition     = google_secret_manager_secret.password.rotation[0].rotation_period == "2592000s" && timecmp(google_secret_manager_secret.password.rotation[0].next_rotation_time, timeadd(plantimestamp(), "1440h")) > 0
    error_message = "Google moves it on; Terraform would move it back."
  }
}

run "database_warns_of_too_many_connections" {
  command = plan
  module {
    source = "./database"
  }
  variables {
    tier        = "db-g1-small"
    connections = { serverless_instances = 10, serverless_requests = 80, workers = 10 }
  }
  expect_failures = [check.connections_fit_the_tier]
}

run "database_refuses_what_cannot_be" {
  command = plan
  module {
    source = "./database"
  }
  variables {
    tier        = "large"
    network     = "default"
    rotation    = { topic = "caretaker" }
    connections = { serverless_instances = -1, serverless_requests = 80, workers = 10 }
  }
  expect_failures = [var.tier, var.network, var.rotation, var.connections]
}

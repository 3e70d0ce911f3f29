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
  users       = ["product_a", "product_b"]
  connections = { serverless_instances = 4, serverless_requests = 15, workers = 4 }
  rotation    = { topic = "projects/my-caretaker/topics/caretaker-secret-notifications" }
}

run "database_private_and_recoverable" {
  command = apply
  module {
    source = "./database"
  }
  override_resource {
    target = google_secret_manager_secret.login["application"]
    values = {
      id                    = "projects/my-product/secrets/product-postgres-url"
      effective_annotations = { caretaker-rotation = "{\"epoch\": 3, \"current\": 4}" }
    }
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
    error_message = "PostgreSQL gets the same value."
  }
  assert {
    condition     = "${output.address.secret} ${output.address.version}" == "product-postgres-url 4"
    error_message = "The version that rotate_secrets has promoted, by the annotation that it writes."
  }
  assert {
    condition     = google_secret_manager_secret.login["application"].rotation[0].rotation_period == "7776000s" && length(google_secret_manager_secret.login["application"].topics) == 1
    error_message = "90 days, announced to the suite."
  }
  assert {
    condition     = alltrue([for key, secret in google_secret_manager_secret.login : length(secret.topics) == 0 if key != "application"])
    error_message = "Only the product's own is rotated."
  }
  assert {
    condition     = output.users == { application = "product_a", alternate = "product_b", admin = "caretaker", backup = "backup" } && google_sql_user.login["backup"].database_roles == tolist(["pg_read_all_data"])
    error_message = "Two that take turns, who changes their passwords, and who reads everything for the backup."
  }
}

run "database_keeps_the_next_rotation_and_warns_of_too_many_connections" {
  command = plan
  module {
    source = "./database"
  }
  variables {
    tier        = "db-g1-small"
    rotation    = { topic = "projects/my-caretaker/topics/caretaker-secret-notifications", days = 30 }
    connections = { serverless_instances = 10, serverless_requests = 80, workers = 10 }
  }
  assert {
    condition     = google_secret_manager_secret.login["application"].rotation[0].rotation_period == "2592000s" && timecmp(google_secret_manager_secret.login["application"].rotation[0].next_rotation_time, timeadd(plantimestamp(), "1440h")) > 0
    error_message = "Google moves it on; Terraform would move it back."
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
    users       = ["product", "product"]
    connections = { serverless_instances = -1, serverless_requests = 80, workers = 10 }
  }
  expect_failures = [var.tier, var.network, var.rotation, var.users, var.connections]
}

run "database_with_a_replica_in_another_region" {
  command = apply
  module {
    source = "./database"
  }
  variables {
    replica = { region = "europe-north1" }
  }
  assert {
    condition = (
      google_sql_database_instance.replica[0].region == "europe-north1" &&
      google_sql_database_instance.replica[0].master_instance_name == "product-postgres" &&
      google_sql_database_instance.replica[0].instance_type == "READ_REPLICA_INSTANCE" &&
      length(google_sql_database_instance.replica[0].settings[0].backup_configuration) == 0
    )
    error_message = "It follows the first instance, from another region."
  }
  assert {
    condition     = google_sql_database_instance.replica[0].settings[0].database_flags == google_sql_database_instance.postgres.settings[0].database_flags && google_sql_database_instance.replica[0].settings[0].tier == "db-custom-2-7680"
    error_message = "With the same flags and the same machine."
  }
  assert {
    condition     = output.instance == "product-postgres" && output.replica.instance == "product-postgres-replica"
    error_message = "The first one serves."
  }
}

run "database_whose_replica_is_promoted" {
  command = apply
  module {
    source = "./database"
  }
  variables {
    replica = { region = "europe-north1", promoted = true }
  }
  assert {
    condition = (
      google_sql_database_instance.replica[0].instance_type == "CLOUD_SQL_INSTANCE" &&
      google_sql_database_instance.replica[0].settings[0].backup_configuration[0].point_in_time_recovery_enabled &&
      google_sql_database_instance.replica[0].deletion_protection
    )
    error_message = "An instance of its own, with backups."
  }
  assert {
    condition     = output.instance == "product-postgres-replica" && output.host == google_sql_database_instance.replica[0].private_ip_address
    error_message = "And it serves."
  }
}

run "database_refuses_a_replica_in_its_own_region" {
  command = plan
  module {
    source = "./database"
  }
  variables {
    replica = { region = "europe-west1" }
  }
  expect_failures = [var.replica]
}

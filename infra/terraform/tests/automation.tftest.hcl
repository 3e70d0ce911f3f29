mock_provider "time" {}

mock_provider "google" {
  mock_resource "google_cloudfunctions2_function" {
    defaults = { service_config = { uri = "https://caretaker-cap-spending-abc.a.run.app" } }
  }
  mock_resource "google_service_account" {
    defaults = { email = "caretaker-x@my-caretaker.iam.gserviceaccount.com", member = "serviceAccount:caretaker-x@my-caretaker.iam.gserviceaccount.com" }
  }
}

variables {
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
  settings = "{\"mode\":\"observe\"}"
  grant_targets = {
    datastore             = { api = "firestore.googleapis.com", granted_on = "database" }
    iam                   = { api = "iam.googleapis.com", granted_on = "accounts" }
    pubsub                = { api = "pubsub.googleapis.com", granted_on = "topics" }
    run                   = { api = "run.googleapis.com", granted_on = "projects" }
    secretmanager         = { api = "secretmanager.googleapis.com", granted_on = "secrets" }
    storage               = { api = "storage.googleapis.com", granted_on = "buckets" }
    "billing.budgets.get" = { api = "billingbudgets.googleapis.com", granted_on = "billing_accounts", predefined = "roles/billing.viewer" }
  }
}

run "an_automation_that_pubsub_wakes" {
  command = apply
  module {
    source = "./modules/automation"
  }
  variables {
    name   = "cap_spending"
    bundle = ".build/cap_spending-0123456789abcdef.zip"
    entry = {
      trigger            = "pubsub"
      summary            = "Does everything that an automation can do."
      memory             = "512Mi"
      time_limit_seconds = 240
      max_instances      = 3
      concurrency        = 8
      tick               = { schedule = "*/10 * * * *", time_zone = "Etc/UTC", every_seconds = 600 }
      retry              = { minimum_backoff_seconds = 10, maximum_backoff_seconds = 600 }
      dead_letter_after  = 20
      may_trigger        = ["itself"]
      filters            = { budget = "NOT attributes.eventType = \"TOPIC_CONFIGURED\"" }
      permissions = [
        "datastore.entities.get", "pubsub.topics.publish", "run.services.list", "run.services.update", "run.services.delete",
        "secretmanager.versions.add", "secretmanager.versions.access", "storage.objects.delete", "iam.serviceAccounts.actAs", "billing.budgets.get",
      ]
    }
    topics       = { budget = "projects/my-caretaker/topics/budget" }
    publishes_to = { pulls = "projects/my-caretaker/topics/pulls" }
    scope = {
      permissions = [
        "datastore.entities.get", "pubsub.topics.publish", "run.services.list", "run.services.update", "secretmanager.versions.add",
        "secretmanager.versions.access", "storage.objects.delete", "iam.serviceAccounts.actAs", "billing.budgets.get", "resourcemanager.projects.delete",
      ]
      projects         = { my-product = ["run.services.list", "run.services.update"], my-research = ["run.services.list", "run.services.delete"], my-other = [] }
      secrets          = ["projects/my-product/secrets/api-key", "projects/my-product/secrets/token", "projects/my-research/secrets/token"]
      own_secrets      = ["projects/my-product/secrets/api-key"]
      buckets          = { my-backups = "my-product" }
      accounts         = ["preview@my-product.iam.gserviceaccount.com"]
      billing_accounts = ["0A1B2C-3D4E5F-6A7B8C"]
    }
  }

  assert {
    condition     = google_cloudfunctions2_function.function.service_config[0].ingress_settings == "ALLOW_INTERNAL_ONLY"
    error_message = "It is not reachable from outside."
  }
  assert {
    condition     = google_cloud_run_v2_service_iam_binding.invoker.members == toset(["serviceAccount:caretaker-push@my-caretaker.iam.gserviceaccount.com"])
    error_message = "Only Pub/Sub may call it."
  }
  assert {
    condition     = one(google_cloudfunctions2_function.function.build_config).entry_point == "cap_spending" && google_storage_bucket_object.bundle.name == "cap_spending-0123456789abcdef.zip"
    error_message = "The entry point is named like its folder; the bundle keeps the name with its hash."
  }
  assert {
    condition     = google_pubsub_subscription.push["budget"].push_config[0].push_endpoint == "https://caretaker-cap-spending-abc.a.run.app/projects/my-caretaker/topics/budget"
    error_message = "A push goes to the run.app address, with the topic in its path."
  }
  assert {
    condition = alltrue([for subscription in google_pubsub_subscription.push :
      subscription.push_config[0].oidc_token[0].audience == "https://caretaker-cap-spending-abc.a.run.app" &&
      subscription.ack_deadline_seconds == 270 &&
      subscription.retry_policy[0].minimum_backoff == "10s" &&
      subscription.dead_letter_policy[0].max_delivery_attempts == 20
    ])
    error_message = "Every subscription has its audience, deadline, back-off and dead letters."
  }
  assert {
    condition     = google_pubsub_subscription.push["budget"].filter == "NOT attributes.eventType = \"TOPIC_CONFIGURED\"" && google_pubsub_subscription.push["caretaker-cap-spending"].filter == null
    error_message = "The topic's filter, and none for the inbox."
  }
  assert {
    condition     = length(google_pubsub_subscription_iam_member.agent_acknowledges) == 2 && length(google_pubsub_topic_iam_member.agent_publishes) == 1
    error_message = "Pub/Sub's agent may move dead letters."
  }
  assert {
    condition     = jsondecode(base64decode(google_cloud_scheduler_job.tick[0].pubsub_target[0].data)) == { type = "tick", every_seconds = 600 }
    error_message = "The tick says its period."
  }
  assert {
    condition = (
      output.permissions["my-product/projects"] == tolist(["run.services.list", "run.services.update"]) &&
      output.permissions["my-research/projects"] == tolist(["run.services.list"]) &&
      length(setintersection(flatten(values(output.permissions)), ["run.services.delete", "resourcemanager.projects.delete"])) == 0
    )
    error_message = "What the section does not ask for is not granted, and in a project only what is asked for there."
  }
  assert {
    condition = toset(keys(google_project_iam_custom_role.role)) == toset([
      "my-caretaker/database", "my-caretaker/topics", "my-product/projects", "my-research/projects", "my-product/secrets", "my-product/read_secrets",
      "my-research/read_secrets", "my-product/buckets", "my-product/accounts",
    ])
    error_message = "A role in each project for each place."
  }
  assert {
    condition     = can(regex("^caretaker\\.cap_spending\\.secrets\\.[0-9]{14}$", google_project_iam_custom_role.role["my-product/secrets"].role_id))
    error_message = "Its id was never that of a role that was deleted."
  }
  assert {
    condition = (
      google_project_iam_custom_role.role["my-product/secrets"].permissions == toset(["secretmanager.versions.access", "secretmanager.versions.add"]) &&
      google_project_iam_custom_role.role["my-product/read_secrets"].permissions == toset(["secretmanager.versions.access"]) &&
      keys(google_secret_manager_secret_iam_member.secrets) == ["projects/my-product/secrets/api-key"] &&
      keys(google_secret_manager_secret_iam_member.read_secrets) == ["projects/my-product/secrets/token", "projects/my-research/secrets/token"]
    )
    error_message = "A secret that is not its own may be read, and nothing else."
  }
  assert {
    condition     = keys(google_pubsub_topic_iam_member.topics) == ["caretaker-cap-spending", "pulls"]
    error_message = "It publishes to its own inbox, as it triggers itself, and where the root says."
  }
  assert {
    condition     = google_project_iam_member.database["my-caretaker/database"].condition[0].expression == "resource.name == \"projects/my-caretaker/databases/caretaker\""
    error_message = "No other database is to be read."
  }
  assert {
    condition = (
      google_service_account_iam_member.accounts["preview@my-product.iam.gserviceaccount.com"].service_account_id == "projects/my-product/serviceAccounts/preview@my-product.iam.gserviceaccount.com" &&
      google_billing_account_iam_member.billing["0A1B2C-3D4E5F-6A7B8C/billing.budgets.get"].role == "roles/billing.viewer" &&
      google_secret_manager_secret_iam_member.secrets["projects/my-product/secrets/api-key"].secret_id == "api-key" &&
      keys(google_storage_bucket_iam_member.buckets) == ["my-backups"]
    )
    error_message = "Grants are on the resources that the settings name."
  }
}

run "webhooks_are_public" {
  command = plan
  module {
    source = "./modules/automation"
  }
  variables {
    name   = "receive_github"
    bundle = ".build/receive_github-0123456789abcdef.zip"
    entry = {
      trigger            = "http"
      summary            = "Takes webhooks."
      memory             = "512Mi"
      time_limit_seconds = 10
      max_instances      = 10
      concurrency        = 20
      permissions        = ["pubsub.topics.publish", "secretmanager.versions.access"]
      secrets = [
        { secret = "caretaker-webhook", file = "/secrets/webhook/current" },
        { secret = "caretaker-app-key", file = "/secrets/app/key" },
      ]
    }
    publishes_to = { pulls = "projects/my-caretaker/topics/pulls" }
  }

  assert {
    condition     = google_cloud_run_v2_service_iam_binding.invoker.members == toset(["allUsers"]) && google_cloudfunctions2_function.function.service_config[0].ingress_settings == "ALLOW_ALL"
    error_message = "GitHub calls without a token of Google's."
  }
  assert {
    condition     = length(google_pubsub_topic.inbox) + length(google_pubsub_subscription.push) + length(google_cloud_scheduler_job.tick) == 0 && output.inbox == null
    error_message = "It has no inbox."
  }
  assert {
    condition     = [for volume in google_cloudfunctions2_function.function.service_config[0].secret_volumes : "${volume.mount_path}/${volume.versions[0].path}"] == ["/secrets/webhook/current", "/secrets/app/key"]
    error_message = "Each secret is a file where the map says."
  }
  assert {
    condition = (
      length(google_secret_manager_secret_iam_member.mounted) == 2 &&
      output.permissions == { "my-caretaker/read_secrets" = tolist(["secretmanager.versions.access"]), "my-caretaker/topics" = tolist(["pubsub.topics.publish"]) }
    )
    error_message = "It reads the secrets that are mounted, and publishes."
  }
}

run "what_will_not_do_is_refused" {
  command = plan
  module {
    source = "./modules/automation"
  }
  variables {
    name   = "Mow-The-Lawn"
    bundle = "lawn.zip"
    entry = {
      trigger            = "pubsub"
      summary            = "Has neither retry nor dead letters, and takes too long."
      memory             = "512Mi"
      time_limit_seconds = 600
      max_instances      = 1
      concurrency        = 1
      permissions        = []
    }
  }
  expect_failures = [var.name, var.bundle, var.entry]
}

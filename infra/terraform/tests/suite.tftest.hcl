# The whole suite, as caretaker.yaml's example names things: tests/infra/test_terraform.py says which variables.

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

# `random` is not mocked: mock providers know no ephemeral resources, and it needs no account.
run "every_automation_of_the_map" {
  command = apply

  assert {
    condition     = toset(keys(output.accounts)) == toset(keys(yamldecode(file("./automations.yaml"))))
    error_message = "The example has a section for each automation of the map, so each is deployed."
  }
  assert {
    condition = alltrue([for name, entry in yamldecode(file("./automations.yaml")) :
      entry.trigger == "http" ? contains(keys(output.webhooks), name) : contains(keys(output.inboxes), name)
    ])
    error_message = "Webhooks have an address, all others an inbox."
  }
  assert {
    condition = alltrue([for name, entry in yamldecode(file("./automations.yaml")) :
      length(setsubtract(flatten(values(output.permissions[name])), entry.permissions)) == 0
    ])
    error_message = "Nothing is granted that the map does not list."
  }
  assert {
    condition = alltrue([for name, entry in yamldecode(file("./automations.yaml")) :
      length(setsubtract([for topic in lookup(entry, "topics", []) : topic if topic != "gcr"], keys(output.subscriptions[name]))) == 0
    ])
    error_message = "Each topic of the map is pushed to its automation."
  }
  assert {
    condition     = output.settings.cap_spending.cap_spending.budgets.monthly.id == "8f3d2c1b-0a9e-4d5c-8b7a-6f5e4d3c2b1a"
    error_message = "The id of a budget that was created goes into the settings."
  }
  assert {
    condition = alltrue([for name, entry in yamldecode(file("./automations.yaml")) :
      length(lookup(entry, "obeys", [])) == 0 || contains(keys(google_pubsub_topic_iam_member.triggers), "cap_spending/${name}")
    ])
    error_message = "cap_spending may publish to the inboxes of those that obey."
  }
  assert {
    condition     = output.settings.cap_spending.cap_spending.wake.gpu_pools_off == ["projects/my-caretaker/topics/caretaker-scale-gpu-pools"]
    error_message = "Those that obey a restriction are triggered."
  }
  assert {
    condition     = toset(flatten([for subscriptions in output.subscriptions : values(subscriptions)])) == toset(keys(jsondecode(file("./tests/resources.json")).subscriptions))
    error_message = "The local cloud has subscriptions of the same names (infra/deploy/resources.py)."
  }
  assert {
    condition     = jsonencode(output.settings.cap_spending.cap_spending.wake) == jsonencode(jsondecode(file("./tests/resources.json")).wake)
    error_message = "The local cloud triggers the same inboxes."
  }
  assert {
    condition = jsonencode(jsondecode(file("./tests/resources.json")).sinks) == jsonencode({ for name, sink in google_logging_project_sink.reports : name => {
      filter = sink.filter
      topic  = one([for name, topic in google_pubsub_topic.own : name if sink.destination == "pubsub.googleapis.com/${topic.id}"])
    } })
    error_message = "The local cloud has the same log sinks (infra/deploy/resources.py)."
  }
  assert {
    condition     = length(setsubtract(["container.googleapis.com", "monitoring.googleapis.com", "billingbudgets.googleapis.com"], keys(google_project_service.suite))) == 0
    error_message = "The APIs of what is asked for are enabled."
  }
  assert {
    condition = (
      module.secret["session-key"].secret == "projects/my-product/secrets/session-key" &&
      google_pubsub_topic_iam_binding.publishers["caretaker-secret-notifications"].members == toset(["serviceAccount:service-123456789012@gcp-sa-secretmanager.iam.gserviceaccount.com"])
    )
    error_message = "A secret that was asked for is made, and tells the suite's topic, where only Secret Manager may publish."
  }
  assert {
    condition = (
      keys(google_secret_manager_secret_version.random) == ["caretaker-github-webhook", "caretaker-github-webhook-previous"] &&
      alltrue([for version in google_secret_manager_secret_version.random : version.secret_data == null])
    )
    error_message = "The secrets that functions mount have a random first version, which no state remembers."
  }
  assert {
    condition = (
      output.permissions.rotate_secrets["my-product/repositories"] == tolist(["artifactregistry.repositories.downloadArtifacts"]) &&
      output.permissions.rotate_secrets["my-product/accounts"] == tolist(["iam.serviceAccounts.actAs"]) &&
      contains(output.permissions.manage_previews["my-previews/repositories"], "artifactregistry.repositories.downloadArtifacts") &&
      output.permissions.prune_backups["my-product/buckets"] != []
    )
    error_message = "What deployment.yaml adds is granted where it is: images, accounts, buckets."
  }
  assert {
    condition     = alltrue([for name, settings in output.settings : toset(keys(settings)) == toset(["mode", name])])
    error_message = "A function is given its own section alone."
  }
  assert {
    condition     = alltrue([for collection in ["records", "history"] : google_firestore_field.not_indexed[collection].field == "*" && length(google_firestore_field.not_indexed[collection].index_config[0].indexes) == 0])
    error_message = "What grows in Firestore is not indexed."
  }
  assert {
    condition     = module.report[0].settings == jsonencode(merge({ mode = output.settings.cap_spending.mode }, [for name, settings in output.settings : { (name) = settings[name] }]...)) && contains(keys(google_project_service.suite), "iap.googleapis.com")
    error_message = "The report is given every section, with the ids of budgets that were created."
  }
}

run "what_cannot_be_deployed_is_refused" {
  command = plan
  variables {
    project_id         = "My Project"
    region             = "europe-west1-b"
    organization       = "example.com"
    firestore_location = "europe"
  }
  expect_failures = [var.project_id, var.region, var.organization, var.firestore_location]
}

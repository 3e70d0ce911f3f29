# The suite: what all automations share, and each automation that caretaker.yaml has a section for.

locals {
  database      = "caretaker"
  map           = yamldecode(file("${path.module}/automations.yaml"))
  grant_targets = yamldecode(file("${path.module}/permissions.yaml"))

  deployed    = { for name, entry in local.map : name => entry if contains(keys(var.settings), name) }
  inboxes     = { for name, entry in local.deployed : name => "caretaker-${replace(name, "_", "-")}" if entry.trigger == "pubsub" }
  labels      = { managed_by = "caretaker" }
  scopes      = { for name in keys(local.deployed) : name => lookup(var.scopes, name, null) }
  permissions = setunion([for name, entry in local.deployed : coalesce(try(local.scopes[name].permissions, null), toset(entry.permissions))]...)
}

# Read while planning, so that adding an API leaves the number known, and with it every grant that names it. The API that
# reads it is enabled before the first plan: ./deploy.sh doctor asks for it.
data "google_project" "suite" {
  project_id = var.project_id
}

module "automation" {
  source   = "./modules/automation"
  for_each = local.deployed

  name   = each.key
  entry  = each.value
  bundle = var.bundles[each.key]
  suite = {
    project_id     = var.project_id
    project_number = data.google_project.suite.number
    region         = var.region
    bucket         = google_storage_bucket.bundles.name
    repository     = google_artifact_registry_repository.functions.id
    build_account  = google_service_account.build.id
    push_account   = google_service_account.push.email
    database       = google_firestore_database.state.name
    organization   = var.organization
    labels         = local.labels
  }
  settings = jsonencode(local.settings[each.key])
  topics = merge(
    { for topic in lookup(each.value, "topics", []) : topic => local.topics[topic] if topic != "gcr" },
    contains(lookup(each.value, "topics", []), "gcr") ? local.images : {},
  )
  publishes_to  = local.publishes_to[each.key]
  grant_targets = local.grant_targets
  scope         = local.scopes[each.key]

  # A function is built as soon as it is created, so the build account needs its roles first.
  depends_on = [
    google_project_iam_member.build,
    google_project_iam_member.build_reads_copies,
    google_storage_bucket_iam_member.build_reads,
    google_artifact_registry_repository_iam_member.build_writes,
    google_pubsub_topic.images,
    google_service_account_iam_member.pubsub_signs,
    module.secret, # permissions are granted on it, and on those that functions mount
    google_secret_manager_secret.mounted,
    google_secret_manager_secret_version.random,
  ]
}

module "observability" {
  source = "./modules/observability"

  project_id     = var.project_id
  project_number = data.google_project.suite.number
  alerts         = var.alerts
  labels         = local.labels
  automations = {
    for name, automation in module.automation : name => {
      subscriptions = values(automation.subscriptions)
      dead_letters  = automation.dead_letters
      every_seconds = try(local.deployed[name].tick.every_seconds, 0)
    }
  }

  depends_on = [google_project_service.suite]
}

module "billing_export" {
  source = "./modules/billing_export"
  count  = var.billing_export == null ? 0 : 1

  project_id      = var.project_id
  location        = var.billing_export.location
  dataset         = var.billing_export.dataset
  billing_account = var.billing_export.billing_account
  label           = var.billing_export.label
  table_is_there  = var.billing_export.table_is_there
  labels          = local.labels

  depends_on = [google_project_service.suite]
}

# Off unless deployment.yaml has `report`.
module "report" {
  source = "./modules/report"
  count  = var.report == null ? 0 : 1

  project_id     = var.project_id
  project_number = data.google_project.suite.number
  region         = var.region
  database       = google_firestore_database.state.name
  settings       = jsonencode(merge(values(local.settings)...)) # the mode, and each section
  image          = var.report.image
  viewers        = var.report.viewers
  time_zone      = var.report.time_zone
  labels         = local.labels

  depends_on = [google_project_service.suite]
}

# APIs stay enabled after `destroy`: something else may have come to need them.

locals {
  always = [
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "cloudscheduler.googleapis.com",
    "firestore.googleapis.com",
    "iam.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
  ]
  needed = [
    for permission in local.permissions :
    lookup(local.grant_targets, permission, lookup(local.grant_targets, split(".", permission)[0], null)).api
  ]
  others = concat(
    length(var.budgets) > 0 ? ["billingbudgets.googleapis.com", "cloudbilling.googleapis.com"] : [],
    var.billing_export == null ? [] : ["bigquery.googleapis.com"],
    var.report == null ? [] : ["iap.googleapis.com"],
  )
}

resource "google_project_service" "suite" {
  for_each = toset(concat(local.always, local.needed, local.others))

  project            = var.project_id
  service            = each.key
  disable_on_destroy = false
}

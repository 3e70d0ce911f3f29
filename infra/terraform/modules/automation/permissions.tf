locals {
  # Its own inbox, and what the root says; inboxes of others are granted there, where they are known.
  publishes_to = merge(var.publishes_to, contains(var.entry.may_trigger, "itself") ? { (local.inbox) = one(google_pubsub_topic.inbox).id } : {})

  # What the owner's section asks for, of what the map lists: infra/suite/scope.py reads it.
  permissions = var.scope.permissions == null ? var.entry.permissions : [
    for permission in var.entry.permissions : permission if contains(var.scope.permissions, permission)
  ]
  target = {
    for permission in local.permissions : permission =>
    lookup(var.grant_targets, permission, lookup(var.grant_targets, split(".", permission)[0], null))
  }
  by_target = { for permission, target in local.target : target.granted_on => permission... }
  # A secret that is not the automation's to change is read, and nothing else.
  reading = [for permission in lookup(local.by_target, "secrets", []) : permission if permission == "secretmanager.versions.access"]

  read_secrets = setsubtract(var.scope.secrets, var.scope.own_secrets)

  account_projects = {
    for account in var.scope.accounts : account => element(regex("@([^.]+)\\.iam\\.gserviceaccount\\.com$", account), 0)
  }
  # On a billing account no role of a project can be granted.
  in_organization = var.suite.organization != "" && length(lookup(local.by_target, "billing_accounts", [])) > 0
  # By place, the projects that it is in, each with what is granted there.
  wanted = {
    database     = { (var.suite.project_id) = lookup(local.by_target, "database", []) }
    topics       = { (var.suite.project_id) = lookup(local.by_target, "topics", []) }
    projects     = { for project, asked_for in var.scope.projects : project => [for one in lookup(local.by_target, "projects", []) : one if contains(asked_for, one)] }
    secrets      = { for secret in var.scope.own_secrets : split("/", secret)[1] => lookup(local.by_target, "secrets", [])... }
    read_secrets = { for project in concat([for secret in local.read_secrets : split("/", secret)[1]], [for secret in var.entry.secrets : var.suite.project_id]) : project => local.reading... }
    buckets      = { for project in values(var.scope.buckets) : project => lookup(local.by_target, "buckets", [])... }
    repositories = { for repository in var.scope.repositories : split("/", repository)[1] => lookup(local.by_target, "repositories", [])... }
    accounts     = { for project in values(local.account_projects) : project => lookup(local.by_target, "accounts", [])... }
  }
  # A custom role is a project's: each project has one for each place in it.
  roles = merge([
    for place, projects in local.wanted : {
      for project, permissions in projects : "${project}/${place}" => { project = project, place = place, permissions = sort(distinct(flatten(permissions))) }
      if length(flatten(permissions)) > 0
    }
  ]...)
}

# The id of a deleted role is not to be had for 37 days, of which it can be brought back for 7. So the time when it was first
# planned is in it, which the state remembers: what was taken away can be deployed anew.
# https://cloud.google.com/iam/docs/creating-custom-roles#deleting-custom-role
resource "terraform_data" "made_at" {
  for_each = setunion(keys(local.roles), local.in_organization ? ["billing"] : [])

  input = formatdate("YYYYMMDDhhmmss", plantimestamp())

  lifecycle {
    ignore_changes = [input]
  }
}

resource "google_project_iam_custom_role" "role" {
  for_each = local.roles

  project     = each.value.project
  role_id     = "caretaker.${var.name}.${each.value.place}.${terraform_data.made_at[each.key].output}"
  title       = "Caretaker: ${var.name} on ${each.value.place}"
  description = "Exactly what ${var.name} needs of ${each.value.place}: infra/terraform/automations.yaml."
  permissions = each.value.permissions
}

# IAM stops at the database: https://cloud.google.com/firestore/docs/manage-databases#configure-per-database-access-permissions
resource "google_project_iam_member" "database" {
  for_each = { for key, role in local.roles : key => role if role.place == "database" }

  project = each.value.project
  role    = google_project_iam_custom_role.role[each.key].id
  member  = google_service_account.function.member

  condition {
    title      = "the suite's own database"
    expression = "resource.name == \"projects/${var.suite.project_id}/databases/${var.suite.database}\""
  }
}

resource "google_project_iam_member" "projects" {
  for_each = { for key, role in local.roles : key => role if role.place == "projects" }

  project = each.value.project
  role    = google_project_iam_custom_role.role[each.key].id
  member  = google_service_account.function.member
}

resource "google_pubsub_topic_iam_member" "topics" {
  for_each = contains(keys(local.by_target), "topics") ? local.publishes_to : {}

  project = var.suite.project_id
  topic   = each.value
  role    = google_project_iam_custom_role.role["${var.suite.project_id}/topics"].id
  member  = google_service_account.function.member
}

resource "google_secret_manager_secret_iam_member" "secrets" {
  for_each = contains(keys(local.by_target), "secrets") ? var.scope.own_secrets : []

  project   = split("/", each.key)[1]
  secret_id = split("/", each.key)[3]
  role      = google_project_iam_custom_role.role["${split("/", each.key)[1]}/secrets"].id
  member    = google_service_account.function.member
}

resource "google_secret_manager_secret_iam_member" "read_secrets" {
  for_each = length(local.reading) > 0 ? local.read_secrets : []

  project   = split("/", each.key)[1]
  secret_id = split("/", each.key)[3]
  role      = google_project_iam_custom_role.role["${split("/", each.key)[1]}/read_secrets"].id
  member    = google_service_account.function.member
}

# Mounting reads as the function's own account.
resource "google_secret_manager_secret_iam_member" "mounted" {
  for_each = toset([for secret in var.entry.secrets : secret.secret])

  project   = var.suite.project_id
  secret_id = each.key
  role      = google_project_iam_custom_role.role["${var.suite.project_id}/read_secrets"].id
  member    = google_service_account.function.member
}

resource "google_storage_bucket_iam_member" "buckets" {
  for_each = contains(keys(local.by_target), "buckets") ? var.scope.buckets : {}

  bucket = each.key
  role   = google_project_iam_custom_role.role["${each.value}/buckets"].id
  member = google_service_account.function.member
}

resource "google_artifact_registry_repository_iam_member" "repositories" {
  for_each = contains(keys(local.by_target), "repositories") ? var.scope.repositories : []

  project    = split("/", each.key)[1]
  location   = split("/", each.key)[3]
  repository = split("/", each.key)[5]
  role       = google_project_iam_custom_role.role["${split("/", each.key)[1]}/repositories"].id
  member     = google_service_account.function.member
}

resource "google_service_account_iam_member" "accounts" {
  for_each = contains(keys(local.by_target), "accounts") ? local.account_projects : {}

  service_account_id = "projects/${each.value}/serviceAccounts/${each.key}"
  role               = google_project_iam_custom_role.role["${each.value}/accounts"].id
  member             = google_service_account.function.member
}

# A role of the organization's, if there is one, or Google's smallest that has the permission.
resource "google_organization_iam_custom_role" "billing" {
  count = local.in_organization ? 1 : 0

  org_id      = var.suite.organization
  role_id     = "caretaker.${var.name}.billing.${terraform_data.made_at["billing"].output}"
  title       = "Caretaker: ${var.name} on billing accounts"
  permissions = local.by_target["billing_accounts"]
}

locals {
  billing_roles = (
    length(google_organization_iam_custom_role.billing) > 0
    ? { organization = one(google_organization_iam_custom_role.billing).id }
    : { for permission in lookup(local.by_target, "billing_accounts", []) : permission => local.target[permission].predefined }
  )
  billing = merge([
    for account in var.scope.billing_accounts : { for key, role in local.billing_roles : "${account}/${key}" => { account = account, role = role } }
  ]...)
}

resource "google_billing_account_iam_member" "billing" {
  for_each = local.billing

  billing_account_id = each.value.account
  role               = each.value.role
  member             = google_service_account.function.member
}

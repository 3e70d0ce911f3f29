# Topics that are no inbox: what comes by them cannot command.

locals {
  pushed    = toset(flatten([for entry in local.deployed : lookup(entry, "topics", [])]))
  published = toset(flatten([for entry in local.deployed : lookup(entry, "publishes", [])]))

  # Who publishes there, besides functions of the suite. Cloud Billing's topic is made with the budgets.
  publishers = {
    caretaker-secret-notifications = [
      for number in distinct([for project in data.google_project.secrets : project.number]) :
      "serviceAccount:service-${number}@gcp-sa-secretmanager.iam.gserviceaccount.com"
    ]
    # Artifact Registry needs no grant for its topic `gcr`.
  }

  # Artifact Registry publishes to a topic of this name in each project that has images; the subscription is ours wherever it is.
  images_in = toset(flatten([
    for name, entry in local.deployed : [for repository in local.repositories[name] : split("/", repository)[1]]
    if contains(lookup(entry, "topics", []), "gcr")
  ]))
  repositories = { for name in keys(local.deployed) : name => try(tolist(local.scopes[name].repositories), []) }
  images       = { for project in local.images_in : (project == var.project_id ? "gcr" : "gcr-${project}") => "projects/${project}/topics/gcr" }

  own    = setsubtract(setunion(local.pushed, local.published), [module.budget.topic_id, "gcr"])
  topics = merge({ for id, topic in google_pubsub_topic.own : id => topic.id }, { (module.budget.topic_id) = module.budget.topic })

  publishes_to = { for name, entry in local.deployed : name => { for topic in lookup(entry, "publishes", []) : topic => local.topics[topic] } }

  # The automation that records spending restrictions triggers those that follow them.
  triggers = merge([
    for name, entry in local.deployed : {
      for other, obeying in local.deployed : "${name}/${other}" => { from = name, to = other }
      if other != name && length(lookup(obeying, "obeys", [])) > 0
    } if contains(lookup(entry, "may_trigger", []), "those_that_obey")
  ]...)
}

resource "google_pubsub_topic_iam_member" "triggers" {
  for_each = local.triggers

  project = var.project_id
  topic   = module.automation[each.value.to].inbox
  role    = module.automation[each.value.from].publisher_role
  member  = "serviceAccount:${module.automation[each.value.from].account}"
}

moved {
  from = google_pubsub_topic_iam_member.wakes
  to   = google_pubsub_topic_iam_member.triggers
}

resource "google_pubsub_topic" "own" {
  #checkov:skip=CKV_GCP_83:messages are hints without secrets; a key of one's own would be one more to keep, and to lock the suite out with

  for_each = local.own

  project = var.project_id
  name    = each.key
  labels  = local.labels

  depends_on = [google_project_service.suite]
}

resource "google_pubsub_topic" "images" {
  #checkov:skip=CKV_GCP_83:messages are hints without secrets; a key of one's own would be one more to keep, and to lock the suite out with

  for_each = var.images ? local.images_in : []

  project = each.key
  name    = "gcr"
  labels  = local.labels

  depends_on = [google_project_service.suite]
}

# Secret Manager publishes as the agent of each secret's own project. ./deploy.sh doctor says if there is none yet: the
# provider's stable release cannot make it.
data "google_project" "secrets" {
  for_each = toset([for secret in try(local.scopes["rotate_secrets"].own_secrets, []) : split("/", secret)[1]])

  project_id = each.key
}

# Budgets count projects by number. Read here: within the module they would wait for the APIs that it depends on.
data "google_project" "counted" {
  for_each = toset(flatten([for budget in var.budgets : tolist(budget.projects)]))

  project_id = each.key
}

# Authoritative: no other account may publish trusted messages.
resource "google_pubsub_topic_iam_binding" "publishers" {
  for_each = { for id, members in local.publishers : id => members if contains(local.own, id) && length(members) > 0 }

  project = var.project_id
  topic   = google_pubsub_topic.own[each.key].name
  role    = "roles/pubsub.publisher"
  members = each.value
}

# The reports of the suite, for notify_chat: docs/deploy.md. Logging publishes them with an account of each sink.
locals {
  sinks = contains(local.own, "caretaker-reports") ? {
    caretaker-reports     = "jsonPayload.report.automation:* AND NOT jsonPayload.report.automation=\"notify_chat\""
    caretaker-failed-jobs = "jsonPayload.job.outcome=\"failed\""
  } : {}
}

resource "google_logging_project_sink" "reports" {
  for_each = local.sinks

  project                = var.project_id
  name                   = each.key
  destination            = "pubsub.googleapis.com/${google_pubsub_topic.own["caretaker-reports"].id}"
  filter                 = each.value
  unique_writer_identity = true
}

resource "google_pubsub_topic_iam_binding" "sinks" {
  count = length(local.sinks) > 0 ? 1 : 0

  project = var.project_id
  topic   = google_pubsub_topic.own["caretaker-reports"].name
  role    = "roles/pubsub.publisher"
  members = distinct([for sink in google_logging_project_sink.reports : sink.writer_identity])
}

# Secrets that are made here, with Secret Manager's own schedule.
module "secret" {
  source   = "./modules/secret"
  for_each = var.secrets

  project_id = split("/", local.rotated[each.key].secret)[1]
  secret_id  = split("/", local.rotated[each.key].secret)[3]
  every_days = local.rotated[each.key].every_days
  topic      = "projects/${var.project_id}/topics/${google_pubsub_topic.own["caretaker-secret-notifications"].name}"
  locations  = each.value.locations
  labels     = local.labels

  # Secret Manager refuses a topic that its agent may not publish to.
  depends_on = [google_pubsub_topic_iam_binding.publishers]
}

module "budget" {
  source = "./modules/budget"

  project_id = var.project_id
  budgets = {
    for key, budget in var.budgets : key => merge(budget, {
      projects        = [for project in budget.projects : data.google_project.counted[project].number]
      billing_account = local.ladders[key].billing_account
      currency        = local.ladders[key].currency
      # A projected rung compares with costs that Google has not seen yet, so there is no rule for it.
      thresholds = [for rung in local.ladders[key].ladder : { at = rung.at, on = try(rung.on, "actual") } if contains(["actual", "forecast"], try(rung.on, "actual"))]
    })
  }

  depends_on = [google_project_service.suite]
}

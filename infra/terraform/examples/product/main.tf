locals {
  is_production = var.environment == "production"
  regions       = setunion([var.region], var.more_regions)
  subnetworks   = { for index, region in sort(tolist(local.regions)) : region => index }
  has_edge      = length(var.domains) > 0

  most_pods   = var.workers == null ? 0 : var.workers.max_pods
  public_host = local.has_edge ? var.domains[0] : trimprefix(module.service.uris[var.region], "https://")
}

module "service" {
  source = "../../modules/platform/service"

  project_id  = var.project_id
  name        = "${var.name}-api"
  environment = var.environment
  image       = var.image
  regions     = { for region, subnetwork in google_compute_subnetwork.region : region => { subnetwork = subnetwork.id } }
  scaling     = var.scaling

  # Behind the load balancer, and by nothing else, as soon as there is one.
  ingress             = local.has_edge ? "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER" : "INGRESS_TRAFFIC_ALL"
  public              = true
  deletion_protection = local.is_production

  environment_variables = merge(module.observability.environment_variables, {
    CONCURRENT_REQUESTS  = tostring(var.scaling.concurrency)
    GOOGLE_CLOUD_PROJECT = var.project_id
  })
  secrets = { DATABASE_URL = module.database.address }
}

module "database" {
  source = "../../modules/platform/database"

  project_id          = var.project_id
  name                = "${var.name}-postgres"
  region              = var.region
  network             = google_compute_network.product.id
  tier                = var.database.tier
  highly_available    = var.database.highly_available
  backup_location     = var.database.backup_location
  replica             = var.database.replica
  rotation            = var.rotation_topic == null ? null : { topic = var.rotation_topic }
  deletion_protection = local.is_production

  connections = {
    serverless_instances = var.scaling.max_instances * length(local.regions)
    serverless_requests  = var.scaling.concurrency
    workers              = local.most_pods
  }
}

module "armor" {
  source = "../../modules/platform/armor"
  count  = local.has_edge ? 1 : 0

  project_id      = var.project_id
  name            = var.name
  blocked_regions = var.blocked_regions
}

module "edge" {
  source = "../../modules/platform/edge"
  count  = local.has_edge ? 1 : 0

  project_id      = var.project_id
  name            = var.name
  service         = module.service.name
  regions         = module.service.regions
  domains         = var.domains
  security_policy = module.armor[0].id
}

module "workers" {
  source = "../../modules/platform/workers"
  count  = var.workers == null ? 0 : 1

  project_id          = var.project_id
  name                = "${var.name}-workers"
  location            = var.workers.location
  spot                = var.workers.spot
  fallback            = var.workers.fallback
  gpu                 = var.workers.gpu
  deletion_protection = local.is_production

  network = {
    network             = google_compute_network.product.id
    subnetwork          = google_compute_subnetwork.region[var.region].id
    pods_range          = "pods"
    services_range      = "services"
    control_plane_range = "172.16.0.0/28"
  }
}

module "manifests" {
  source = "../../modules/platform/manifests"
  count  = var.workers == null ? 0 : 1

  project_id                 = var.project_id
  namespace                  = module.workers[0].workload.namespace
  kubernetes_service_account = module.workers[0].workload.kubernetes_service_account
  service_account            = module.workers[0].service_account
  temporal                   = var.temporal
}

module "backups" {
  source = "../../modules/platform/backups"

  project_id = var.project_id
  name       = "${var.name}-backups"
  bucket     = "${var.project_id}-${var.name}-backups"
  region     = var.region
  copies     = { region = var.copies_region }
  subnetwork = google_compute_subnetwork.region[var.region].id
  back_up    = local.jobs.back_up
  prove      = local.jobs.prove
}

module "observability" {
  source = "../../modules/platform/observability"

  project_id            = var.project_id
  service               = "${var.name}-api"
  uptime                = { host = local.public_host }
  notification_channels = [for channel in google_monitoring_notification_channel.email : channel.id]
  workers               = var.workers == null ? null : { cluster = module.workers[0].cluster }
  subscriptions         = var.subscriptions
  money                 = var.money
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.emails

  project      = var.project_id
  display_name = each.key
  type         = "email"
  labels       = { email_address = each.key }
}

module "previews" {
  source = "../../modules/platform/previews"
  count  = length(var.github_repositories) > 0 ? 1 : 0

  project_id          = var.project_id
  location            = var.region
  github_repositories = var.github_repositories
  deployers           = var.preview_deployer == null ? {} : { manage_previews = var.preview_deployer }
}

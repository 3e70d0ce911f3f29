resource "google_compute_network" "product" {
  #checkov:skip=CKV2_GCP_18:a network of one's own lets nothing in by itself; GKE adds the rules that it needs
  project                 = var.project_id
  name                    = var.name
  auto_create_subnetworks = false
}

# One for each region. Addresses of services and jobs come from it; pods and services of the cluster have ranges of their own.
resource "google_compute_subnetwork" "region" {
  for_each = local.subnetworks

  project                  = var.project_id
  name                     = "${var.name}-${each.key}"
  region                   = each.key
  network                  = google_compute_network.product.id
  ip_cidr_range            = cidrsubnet("10.0.0.0/12", 8, each.value)
  private_ip_google_access = true

  dynamic "secondary_ip_range" {
    for_each = each.key == var.region && var.workers != null ? { pods = "10.64.0.0/14", services = "10.96.0.0/20" } : {}

    content {
      range_name    = secondary_ip_range.key
      ip_cidr_range = secondary_ip_range.value
    }
  }

  log_config {
    aggregation_interval = "INTERVAL_10_MIN"
    flow_sampling        = 0.1
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

# Nodes have no address of their own; this is their way out.
resource "google_compute_router" "nodes" {
  count = var.workers == null ? 0 : 1

  project = var.project_id
  name    = var.name
  region  = var.region
  network = google_compute_network.product.id
}

resource "google_compute_router_nat" "nodes" {
  count = var.workers == null ? 0 : 1

  project                            = var.project_id
  name                               = var.name
  region                             = var.region
  router                             = google_compute_router.nodes[0].name
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}

locals {
  # Bounds on all zones together: bounds on each would mean three nodes at a minimum of one in a regional cluster.
  pools = merge(
    { spot = merge(var.spot, { spot = true, taints = {} }) },
    { fallback = merge(var.fallback, { spot = false, taints = { "caretaker/fallback" = "PREFER_NO_SCHEDULE" } }) },
  )
}

# Spot nodes for the workers, and on-demand ones for when there are none to be had.
resource "google_container_node_pool" "pool" {
  for_each = local.pools

  project            = var.project_id
  name               = each.key
  cluster            = google_container_cluster.workers.name
  location           = google_container_cluster.workers.location
  initial_node_count = each.value.min_nodes > 0 ? 1 : 0

  autoscaling {
    total_min_node_count = each.value.min_nodes
    total_max_node_count = each.value.max_nodes
    location_policy      = "ANY" # wherever Spot capacity is
  }

  management {
    auto_repair  = true
    auto_upgrade = true
  }

  node_config {
    machine_type    = each.value.machine_type
    spot            = each.value.spot
    disk_size_gb    = each.value.disk_gb
    disk_type       = "pd-balanced"
    service_account = google_service_account.node.email
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
    labels          = { pool = each.key }

    dynamic "taint" {
      for_each = each.value.taints

      content {
        key    = taint.key
        value  = "true"
        effect = taint.value
      }
    }

    workload_metadata_config {
      mode = "GKE_METADATA"
    }

    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }
  }

  lifecycle {
    # The autoscaler's. A managed initial_node_count would have Terraform replace a pool that was resized.
    ignore_changes = [initial_node_count, node_count]
  }
}

# GPU nodes, on Spot, from none. scale_gpu_pools takes this pool to zero and back.
resource "google_container_node_pool" "gpu" {
  count = var.gpu == null ? 0 : 1

  project            = var.project_id
  name               = "gpu"
  cluster            = google_container_cluster.workers.name
  location           = google_container_cluster.workers.location
  node_locations     = var.gpu.zones
  initial_node_count = 0

  autoscaling {
    total_min_node_count = 0
    total_max_node_count = var.gpu.max_nodes
    location_policy      = "ANY"
  }

  management {
    auto_repair  = true
    auto_upgrade = true
  }

  node_config {
    machine_type    = var.gpu.machine_type
    spot            = true
    disk_size_gb    = var.gpu.disk_gb
    disk_type       = "pd-balanced"
    service_account = google_service_account.node.email
    oauth_scopes    = ["https://www.googleapis.com/auth/cloud-platform"]
    labels          = { pool = "gpu" }

    guest_accelerator {
      type  = var.gpu.accelerator
      count = var.gpu.accelerators
      gpu_driver_installation_config {
        gpu_driver_version = "DEFAULT"
      }
    }

    # Nothing lands here that does not ask for a GPU, and for Spot.
    taint {
      key    = "nvidia.com/gpu"
      value  = "present"
      effect = "NO_SCHEDULE"
    }
    taint {
      key    = "cloud.google.com/gke-spot"
      value  = "true"
      effect = "NO_SCHEDULE"
    }

    workload_metadata_config {
      mode = "GKE_METADATA"
    }

    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }
  }

  lifecycle {
    # scale_gpu_pools changes the size and turns autoscaling off and on.
    ignore_changes = [initial_node_count, node_count, autoscaling]
  }
}

locals {
  workload_pool = "${var.project_id}.svc.id.goog"
  subject       = "${var.workload.namespace}/${var.workload.kubernetes_service_account}"
}

resource "google_container_cluster" "workers" {
  #checkov:skip=CKV_GCP_12:Dataplane V2 enforces network policies without the add-on that this looks for
  #checkov:skip=CKV_GCP_24:pod security policies are gone from Kubernetes since 1.25
  #checkov:skip=CKV_GCP_65:needs a group of the owner's Google Workspace
  #checkov:skip=CKV_GCP_66:the default policy of Binary Authorization allows everything, so that it would protect nothing
  #checkov:skip=CKV_GCP_69:the pools have it; the cluster's own block is of a pool that is removed
  project             = var.project_id
  name                = var.name
  location            = var.location
  resource_labels     = merge({ part = "workers" }, var.labels)
  deletion_protection = var.deletion_protection

  network           = var.network.network
  subnetwork        = var.network.subnetwork
  datapath_provider = "ADVANCED_DATAPATH"

  enable_intranode_visibility = true

  # Pools are resources of their own: those of the cluster's block cannot be changed without replacing it.
  remove_default_node_pool = true
  initial_node_count       = 1

  ip_allocation_policy {
    cluster_secondary_range_name  = var.network.pods_range
    services_secondary_range_name = var.network.services_range
  }

  private_cluster_config {
    enable_private_nodes    = true
    enable_private_endpoint = true
    master_ipv4_cidr_block  = var.network.control_plane_range
  }

  # Reached by its name, and IAM decides: no list of addresses to keep.
  control_plane_endpoints_config {
    dns_endpoint_config {
      allow_external_traffic = true
    }
  }

  master_authorized_networks_config {}

  master_auth {
    client_certificate_config {
      issue_client_certificate = false
    }
  }

  workload_identity_config {
    workload_pool = local.workload_pool
  }

  release_channel {
    channel = var.release_channel
  }

  vertical_pod_autoscaling {
    enabled = true
  }

  cluster_autoscaling {
    autoscaling_profile = "OPTIMIZE_UTILIZATION" # nodes that are hardly used go sooner
  }

  cost_management_config {
    enabled = true
  }

  maintenance_policy {
    recurring_window {
      start_time = var.maintenance.start_time
      end_time   = var.maintenance.end_time
      recurrence = var.maintenance.recurrence
    }
  }

  logging_config {
    enable_components = ["SYSTEM_COMPONENTS", "WORKLOADS"]
  }

  monitoring_config {
    enable_components = ["SYSTEM_COMPONENTS", "POD", "DEPLOYMENT"]
    managed_prometheus {
      enabled = true
    }
  }

  security_posture_config {
    mode               = "BASIC"
    vulnerability_mode = "VULNERABILITY_DISABLED"
  }

  lifecycle {
    # Of the default pool, which is gone; without this every plan would show it.
    ignore_changes = [node_config, initial_node_count]
  }
}

resource "google_service_account" "node" {
  project      = var.project_id
  account_id   = "${var.name}-node"
  display_name = "Nodes of the cluster ${var.name}"
}

# What a node needs for logs and metrics, and nothing else.
resource "google_project_iam_member" "node" {
  project = var.project_id
  role    = "roles/container.defaultNodeServiceAccount"
  member  = google_service_account.node.member
}

resource "google_artifact_registry_repository_iam_member" "node" {
  for_each = var.image_repositories

  project    = each.value.project_id
  location   = each.value.location
  repository = each.key
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.node.member
}

resource "google_service_account" "workload" {
  project      = var.project_id
  account_id   = var.name
  display_name = "Workers of ${var.name}"
}

# Traces are sent with the workers' own account; as it is not the nodes', these do not suffice.
resource "google_project_iam_member" "workload" {
  project = var.project_id
  role    = "roles/cloudtrace.agent"
  member  = google_service_account.workload.member
}

# Workload Identity: the pods of this one Kubernetes service account are this Google one. No key exists.
resource "google_service_account_iam_member" "workload" {
  service_account_id = google_service_account.workload.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${local.workload_pool}[${local.subject}]"

  depends_on = [google_container_cluster.workers] # the pool of identities comes with the first cluster
}

mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = {
      name   = "projects/my-product/serviceAccounts/product-workers@my-product.iam.gserviceaccount.com"
      email  = "product-workers@my-product.iam.gserviceaccount.com"
      member = "serviceAccount:product-workers@my-product.iam.gserviceaccount.com"
    }
  }
}

variables {
  project_id = "my-product"
  name       = "product-workers"
  location   = "europe-west1"
  gpu        = { zones = ["europe-west1-b"], max_nodes = 2 }
  network = {
    network             = "projects/my-product/global/networks/product"
    subnetwork          = "projects/my-product/regions/europe-west1/subnetworks/product"
    pods_range          = "pods"
    services_range      = "services"
    control_plane_range = "172.16.0.0/28"
  }
}

run "workers_on_spot" {
  command = apply
  module {
    source = "./workers"
  }
  assert {
    condition     = google_container_cluster.workers.private_cluster_config[0].enable_private_nodes && google_container_cluster.workers.vertical_pod_autoscaling[0].enabled
    error_message = "Private nodes, vertical pod autoscaling."
  }
  assert {
    condition     = google_container_cluster.workers.workload_identity_config[0].workload_pool == "my-product.svc.id.goog"
    error_message = "Workload Identity."
  }
  assert {
    condition     = { for name, pool in google_container_node_pool.pool : name => "${pool.node_config[0].spot} ${pool.autoscaling[0].total_min_node_count}-${pool.autoscaling[0].total_max_node_count}" } == { spot = "true 1-5", fallback = "false 0-3" }
    error_message = "Bounds on all zones together: one Spot node, and none on demand."
  }
  assert {
    condition     = alltrue([for pool in merge(google_container_node_pool.pool, { gpu = google_container_node_pool.gpu[0] }) : pool.node_config[0].workload_metadata_config[0].mode == "GKE_METADATA"])
    error_message = "Pods never see the node's account."
  }
  assert {
    condition     = google_container_node_pool.gpu[0].node_config[0].spot && google_container_node_pool.gpu[0].autoscaling[0].total_min_node_count == 0 && google_container_node_pool.gpu[0].initial_node_count == 0
    error_message = "GPU nodes begin at none."
  }
  assert {
    condition     = [for taint in google_container_node_pool.gpu[0].node_config[0].taint : taint.key] == ["nvidia.com/gpu", "cloud.google.com/gke-spot"]
    error_message = "Nothing lands there that does not ask for it."
  }
  assert {
    condition     = google_service_account_iam_member.workload.member == "serviceAccount:my-product.svc.id.goog[workers/workers]"
    error_message = "The Kubernetes account is bound to the Google one."
  }
  assert {
    condition     = output.workload == { namespace = "workers", kubernetes_service_account = "workers" } && output.service_account == "product-workers@my-product.iam.gserviceaccount.com"
    error_message = "What the manifests bind together."
  }
}

run "workers_keep_what_the_automations_set" {
  command = plan
  module {
    source = "./workers"
  }
  variables {
    gpu  = { zones = ["europe-west1-b"], max_nodes = 9 }
    spot = { max_nodes = 9 }
  }
  assert {
    condition     = google_container_node_pool.gpu[0].autoscaling[0].total_max_node_count == 2
    error_message = "scale_gpu_pools owns the autoscaling of the GPU pool."
  }
  assert {
    condition     = google_container_node_pool.pool["spot"].autoscaling[0].total_max_node_count == 9
    error_message = "That of the others is Terraform's."
  }
}

run "workers_without_a_gpu" {
  command = plan
  module {
    source = "./workers"
  }
  variables {
    name = "other-workers"
    gpu  = null
    spot = { min_nodes = 2, max_nodes = 1 }
  }
  expect_failures = [var.spot]
}

run "manifests_of_two_workers" {
  command = plan
  module {
    source = "./manifests"
  }
  variables {
    namespace                  = "workers"
    kubernetes_service_account = "workers"
    service_account            = "product-workers@my-product.iam.gserviceaccount.com"
    temporal                   = { image = "images/worker:v1", address = "temporal.internal:7233" }
  }
  assert {
    condition     = { for text in split("---\n", output.manifest) : yamldecode(text).metadata.name => yamldecode(text).spec.replicas if yamldecode(text).kind == "Deployment" } == { worker = 1, gpu-worker = 0 }
    error_message = "One worker, and none with a GPU: tests/infra/test_manifests.py has the rest."
  }
}

run "manifests_refuse_what_cannot_run" {
  command = plan
  module {
    source = "./manifests"
  }
  variables {
    namespace                  = "workers"
    kubernetes_service_account = "workers"
    service_account            = "product-workers@my-product.iam.gserviceaccount.com"
    temporal = {
      image       = "worker"
      address     = "https://temporal.internal"
      trace_ratio = 10
      workers     = { Mail = { task_queue = "", replicas = 1.5 } }
    }
  }
  expect_failures = [var.temporal]
}

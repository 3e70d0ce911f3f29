mock_provider "time" {}

mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = {
      name   = "projects/my-product/serviceAccounts/account@my-product.iam.gserviceaccount.com"
      email  = "account@my-product.iam.gserviceaccount.com"
      member = "serviceAccount:account@my-product.iam.gserviceaccount.com"
    }
  }
  mock_resource "google_compute_network" {
    defaults = { id = "projects/my-product/global/networks/product" }
  }
  mock_resource "google_cloud_run_v2_service" {
    defaults = { uri = "https://product-api-abc123-ew.a.run.app" }
  }
  mock_resource "google_secret_manager_secret_version" {
    defaults = { version = "1" }
  }
  mock_resource "google_iam_workload_identity_pool" {
    defaults = { name = "projects/123456789012/locations/global/workloadIdentityPools/github" }
  }
  mock_data "google_storage_transfer_project_service_account" {
    defaults = { member = "serviceAccount:project-1@storage-transfer-service.iam.gserviceaccount.com" }
  }
}

variables {
  project_id = "my-product"
  image      = "europe-west1-docker.pkg.dev/my-product/images/api:v1"
}

run "the_smallest" {
  command = apply
  assert {
    condition     = output.address == "https://product-api-abc123-ew.a.run.app" && output.max_connections == 50
    error_message = "Without domains the service has its own address; 2 instances with 15 requests each, and a reserve."
  }
  assert {
    condition     = module.database.address.version == "1"
    error_message = "Before any rotation the first version is the one."
  }
  assert {
    condition     = length(module.edge) + length(module.workers) + length(module.previews) == 0
    error_message = "Nothing that was not asked for."
  }
}

run "the_largest" {
  command = plan
  variables {
    environment         = "production"
    more_regions        = ["us-central1", "asia-northeast1"]
    domains             = ["api.example.com", "www.example.com"]
    blocked_regions     = ["AQ", "BV"]
    scaling             = { max_instances = 10, concurrency = 15 }
    database            = { tier = "db-custom-8-61440", highly_available = true, backup_location = "eu", replica = { region = "us-central1" } }
    workers             = { location = "europe-west1", max_pods = 6, gpu = { zones = ["europe-west1-b"], max_nodes = 2 } }
    temporal            = { image = "europe-west1-docker.pkg.dev/my-product/images/worker:v1", address = "temporal.internal:7233" }
    rotation_topic      = "projects/my-caretaker/topics/caretaker-secret-notifications"
    backup_images       = { back_up = "europe-docker.pkg.dev/my-caretaker/jobs/back-up:v1", prove = "europe-docker.pkg.dev/my-caretaker/jobs/prove:v1" }
    emails              = ["on-call@example.com"]
    subscriptions       = ["orders-to-workers"]
    github_repositories = { "my-team/my-product" = 123456789 }
    preview_deployer    = "serviceAccount:manage-previews@my-caretaker.iam.gserviceaccount.com"
  }
  assert {
    condition     = output.max_connections == 3 * 10 * 15 + 6 * 15 + 20
    error_message = "Instances of all three regions, and each worker's pool."
  }
  assert {
    condition     = output.address == "https://api.example.com" && length(module.workers) == 1 && length(module.previews) == 1
    error_message = "Everything that was asked for."
  }
}

mock_provider "time" {}

mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = { member = "serviceAccount:product-api@my-product.iam.gserviceaccount.com", email = "product-api@my-product.iam.gserviceaccount.com" }
  }
}

variables {
  project_id  = "my-product"
  name        = "product-api"
  environment = "production"
  image       = "europe-docker.pkg.dev/my-product/images/api:v1"
  regions     = { europe-west1 = { subnetwork = "projects/my-product/regions/europe-west1/subnetworks/product" }, us-central1 = {} }
  secrets     = { DATABASE_PASSWORD = { secret = "password", version = "3" } }
}

run "service_warm_in_production" {
  command = apply
  module {
    source = "./service"
  }
  assert {
    condition     = google_project_iam_member.traces.role == "roles/cloudtrace.agent"
    error_message = "It may write its traces."
  }
  assert {
    condition     = keys(google_cloud_run_v2_service.service) == ["europe-west1", "us-central1"]
    error_message = "One service in each region."
  }
  assert {
    condition     = alltrue([for service in google_cloud_run_v2_service.service : service.template[0].scaling[0].min_instance_count == 1])
    error_message = "An instance stays warm in production."
  }
  assert {
    condition     = alltrue([for service in google_cloud_run_v2_service.service : service.template[0].containers[0].resources[0].startup_cpu_boost && service.template[0].containers[0].resources[0].cpu_idle])
    error_message = "The boost is an argument of the container's resources, not an annotation."
  }
  assert {
    condition = alltrue([for service in google_cloud_run_v2_service.service :
      service.template[0].containers[0].startup_probe[0].period_seconds == 1 &&
      service.template[0].containers[0].startup_probe[0].failure_threshold == 120 &&
      service.template[0].containers[0].startup_probe[0].http_get[0].path == "/ready"
    ])
    error_message = "A start may take two minutes, and is seen within a second."
  }
  assert {
    condition     = one([for env in google_cloud_run_v2_service.service["us-central1"].template[0].containers[0].env : env.value_source[0].secret_key_ref[0].version if env.name == "DATABASE_PASSWORD"]) == "3"
    error_message = "A secret is named with its version."
  }
  assert {
    condition     = length(google_cloud_run_v2_service.service["europe-west1"].template[0].vpc_access) == 1 && length(google_cloud_run_v2_service.service["us-central1"].template[0].vpc_access) == 0
    error_message = "Private addresses are reached where there is a subnetwork."
  }
}

run "service_leaves_images_to_continuous_integration" {
  command = plan
  module {
    source = "./service"
  }
  variables {
    image       = "europe-docker.pkg.dev/my-product/images/api:v2"
    scaling     = { max_instances = 4 }
    environment = "staging"
  }
  assert {
    condition     = google_cloud_run_v2_service.service["us-central1"].template[0].scaling[0].min_instance_count == 0
    error_message = "Nothing stays warm outside production."
  }
  assert {
    condition     = google_cloud_run_v2_service.service["us-central1"].template[0].containers[0].image == "europe-docker.pkg.dev/my-product/images/api:v1"
    error_message = "Terraform would take the image back."
  }
  assert {
    condition     = google_cloud_run_v2_service.service["us-central1"].template[0].scaling[0].max_instance_count == 4
    error_message = "The revision's maximum is Terraform's."
  }
}

run "service_refuses_what_moves" {
  command = plan
  module {
    source = "./service"
  }
  variables {
    image   = "europe-docker.pkg.dev/my-product/images/api:latest"
    secrets = { DATABASE_PASSWORD = { secret = "password", version = "latest" } }
    probes  = { startup_seconds = 600 }
  }
  expect_failures = [var.image, var.secrets, var.probes]
}

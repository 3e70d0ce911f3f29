mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = { name = "projects/my-product/serviceAccounts/previews@my-product.iam.gserviceaccount.com" }
  }
  mock_resource "google_iam_workload_identity_pool" {
    defaults = { name = "projects/123456789012/locations/global/workloadIdentityPools/github" }
  }
}

variables {
  project_id          = "my-product"
  location            = "europe-west1"
  github_repositories = { "my-team/my-product" = 123456789, "my-team/other" = 987654321 }
  deployers           = { manage_previews = "serviceAccount:manage-previews@my-caretaker.iam.gserviceaccount.com" }
}

run "previews_trust_numbers" {
  command = apply
  module {
    source = "./previews"
  }
  assert {
    condition     = google_iam_workload_identity_pool_provider.github.attribute_condition == "assertion.repository_id in ['123456789', '987654321']"
    error_message = "Only these repositories, by their numbers."
  }
  assert {
    condition     = google_artifact_registry_repository_iam_member.workflow["my-team/my-product"].member == "principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github/attribute.repository_id/123456789"
    error_message = "A workflow is itself: no account, no key."
  }
  assert {
    condition     = !google_artifact_registry_repository.previews.cleanup_policy_dry_run && google_artifact_registry_repository.previews.docker_config[0].immutable_tags
    error_message = "Clean-up really deletes, and a tag never moves."
  }
  assert {
    condition     = { for policy in google_artifact_registry_repository.previews.cleanup_policies : policy.id => policy.action } == { delete-old = "DELETE", keep-newest = "KEEP" }
    error_message = "Old images go, but never the newest."
  }
  assert {
    condition     = google_service_account_iam_member.deployer["manage_previews"].role == "roles/iam.serviceAccountUser"
    error_message = "Who deploys may use this one account."
  }
  assert {
    condition     = can(regex("^github-[0-9]{14}$", google_iam_workload_identity_pool.github.workload_identity_pool_id))
    error_message = "The id of a destroyed pool does not block the next apply."
  }
  assert {
    condition     = output.registry == "europe-west1-docker.pkg.dev/my-product/previews"
    error_message = "What names of images begin with."
  }
}

run "previews_refuse_everybody" {
  command = plan
  module {
    source = "./previews"
  }
  variables {
    github_repositories = {}
    cleanup             = { keep_newest = 0 }
    identity_pool       = "the-pool-of-all-our-workflows"
  }
  expect_failures = [var.github_repositories, var.cleanup, var.identity_pool]
}

mock_provider "google" {}

variables {
  project_id = "my-product"
  name       = "product"
  service    = "product-api"
  regions    = ["europe-west1", "us-central1"]
  domains    = ["api.example.com"]
}

run "edge_over_two_regions" {
  command = apply
  module {
    source = "./edge"
  }
  assert {
    condition     = length(google_compute_backend_service.api.backend) == 2 && length(google_compute_region_network_endpoint_group.service) == 2
    error_message = "A network endpoint group in each region."
  }
  assert {
    condition     = alltrue([for service in [google_compute_backend_service.api, google_compute_backend_service.static] : service.load_balancing_scheme == "EXTERNAL_MANAGED" && length(coalesce(service.health_checks, [])) == 0])
    error_message = "Serverless backends take no health checks."
  }
  assert {
    condition     = alltrue([for service in [google_compute_backend_service.api, google_compute_backend_service.static] : service.outlier_detection[0].consecutive_errors == 5 && service.outlier_detection[0].base_ejection_time[0].seconds == 30])
    error_message = "A region that fails is left out; times are blocks."
  }
  assert {
    condition     = !google_compute_backend_service.api.enable_cdn && google_compute_backend_service.static.enable_cdn
    error_message = "Answers of the API are not cached."
  }
  assert {
    condition     = google_compute_backend_service.static.cdn_policy[0].negative_caching && google_compute_backend_service.static.cdn_policy[0].cache_key_policy[0].query_string_whitelist == toset(["v"])
    error_message = "Static files: negative caching, and a cache key without tracking parameters."
  }
  assert {
    condition     = google_compute_url_map.http.default_url_redirect[0].https_redirect && !google_compute_url_map.http.default_url_redirect[0].strip_query
    error_message = "HTTP goes to HTTPS, with its query."
  }
  assert {
    condition     = toset([for address in google_compute_global_address.address : address.ip_version]) == toset(["IPV4", "IPV6"])
    error_message = "Both kinds of addresses."
  }
  assert {
    condition     = [for rule in concat(values(google_compute_global_forwarding_rule.http), values(google_compute_global_forwarding_rule.https)) : rule.port_range] == ["80", "80", "443", "443"]
    error_message = "Two ports for each."
  }
}

run "edge_refuses_wildcards" {
  command = plan
  module {
    source = "./edge"
  }
  variables {
    domains = ["*.example.com"]
    cdn     = { paths = ["static"] }
  }
  expect_failures = [var.domains, var.cdn]
}

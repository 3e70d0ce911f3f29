locals {
  addresses = { v4 = "IPV4", v6 = "IPV6" }
  # A certificate cannot change its domains, so a new one takes a new name.
  certificate = "${var.name}-${substr(sha1(join(",", var.domains)), 0, 8)}"
  # Serverless backends take no health checks: a region that answers with errors is left out for a while instead. The only
  # one must not be.
  failover = length(var.regions) > 1 ? [var.failover] : []
}

resource "google_compute_region_network_endpoint_group" "service" {
  for_each = var.regions

  project               = var.project_id
  name                  = "${var.name}-${each.key}"
  region                = each.key
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = var.service
  }
}

# Answers of the API: never cached.
resource "google_compute_backend_service" "api" {
  project               = var.project_id
  name                  = "${var.name}-api"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"
  security_policy       = var.security_policy
  enable_cdn            = false

  dynamic "backend" {
    for_each = google_compute_region_network_endpoint_group.service

    content {
      group = backend.value.id
    }
  }

  dynamic "outlier_detection" {
    for_each = local.failover

    content {
      consecutive_errors                    = outlier_detection.value.consecutive_errors
      consecutive_gateway_failure           = outlier_detection.value.consecutive_errors
      enforcing_consecutive_errors          = 100
      enforcing_consecutive_gateway_failure = 100
      max_ejection_percent                  = 50
      interval {
        seconds = 10
      }
      base_ejection_time {
        seconds = outlier_detection.value.ejection_seconds
      }
    }
  }

  log_config {
    enable      = true
    sample_rate = var.log_sample_rate
  }
}

# The same service, for paths with public content.
resource "google_compute_backend_service" "static" {
  project               = var.project_id
  name                  = "${var.name}-static"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"
  security_policy       = var.security_policy
  enable_cdn            = true
  compression_mode      = "AUTOMATIC"

  dynamic "backend" {
    for_each = google_compute_region_network_endpoint_group.service

    content {
      group = backend.value.id
    }
  }

  dynamic "outlier_detection" {
    for_each = local.failover

    content {
      consecutive_errors                    = outlier_detection.value.consecutive_errors
      consecutive_gateway_failure           = outlier_detection.value.consecutive_errors
      enforcing_consecutive_errors          = 100
      enforcing_consecutive_gateway_failure = 100
      max_ejection_percent                  = 50
      interval {
        seconds = 10
      }
      base_ejection_time {
        seconds = outlier_detection.value.ejection_seconds
      }
    }
  }

  cdn_policy {
    cache_mode        = "CACHE_ALL_STATIC"
    default_ttl       = var.cdn.default_ttl_seconds
    client_ttl        = var.cdn.default_ttl_seconds
    max_ttl           = var.cdn.max_ttl_seconds
    serve_while_stale = 86400
    negative_caching  = true

    # Other query parameters do not change the file.
    cache_key_policy {
      include_host           = true
      include_protocol       = false
      include_query_string   = true
      query_string_whitelist = var.cdn.query_parameters
    }

    dynamic "negative_caching_policy" {
      for_each = { 404 = 60, 410 = 120, 301 = 600, 308 = 600 }

      content {
        code = tonumber(negative_caching_policy.key)
        ttl  = negative_caching_policy.value
      }
    }
  }

  log_config {
    enable      = true
    sample_rate = var.log_sample_rate
  }
}

resource "google_compute_url_map" "https" {
  project         = var.project_id
  name            = var.name
  default_service = google_compute_backend_service.api.id

  host_rule {
    hosts        = ["*"]
    path_matcher = "paths"
  }

  path_matcher {
    name            = "paths"
    default_service = google_compute_backend_service.api.id

    path_rule {
      paths   = var.cdn.paths
      service = google_compute_backend_service.static.id
    }
  }
}

resource "google_compute_url_map" "http" {
  project = var.project_id
  name    = "${var.name}-to-https"

  default_url_redirect {
    https_redirect         = true
    strip_query            = false
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
  }
}

resource "google_compute_managed_ssl_certificate" "domains" {
  project = var.project_id
  name    = local.certificate

  managed {
    domains = var.domains
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_ssl_policy" "modern" {
  project         = var.project_id
  name            = var.name
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "https" {
  project          = var.project_id
  name             = var.name
  url_map          = google_compute_url_map.https.id
  ssl_certificates = [google_compute_managed_ssl_certificate.domains.id]
  ssl_policy       = google_compute_ssl_policy.modern.id
  quic_override    = "ENABLE"
}

resource "google_compute_target_http_proxy" "http" {
  project = var.project_id
  name    = "${var.name}-to-https"
  url_map = google_compute_url_map.http.id
}

resource "google_compute_global_address" "address" {
  for_each = local.addresses

  project    = var.project_id
  name       = "${var.name}-${each.key}"
  ip_version = each.value
}

resource "google_compute_global_forwarding_rule" "https" {
  for_each = local.addresses

  project               = var.project_id
  name                  = "${var.name}-https-${each.key}"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_protocol           = "TCP"
  ip_address            = google_compute_global_address.address[each.key].id
  port_range            = "443"
  target                = google_compute_target_https_proxy.https.id
}

resource "google_compute_global_forwarding_rule" "http" {
  for_each = local.addresses

  project               = var.project_id
  name                  = "${var.name}-http-${each.key}"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_protocol           = "TCP"
  ip_address            = google_compute_global_address.address[each.key].id
  port_range            = "80"
  target                = google_compute_target_http_proxy.http.id
}

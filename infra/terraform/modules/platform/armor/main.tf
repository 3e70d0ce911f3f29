locals {
  # An expression may have at most five terms, so a long list becomes several rules.
  # https://cloud.google.com/armor/docs/rules-language-reference
  region_rules = chunklist(sort(tolist(var.blocked_regions)), 5)

  # Rules are tried in this order, and the first that applies decides. The rate limit lets conforming requests pass, which
  # ends the evaluation: it must come after the rules that deny.
  priorities = {
    exempt  = 100
    regions = 1000
    waf     = 2000
    rate    = 9000
    default = 2147483647
  }
}

resource "google_compute_security_policy" "policy" {
  project     = var.project_id
  name        = var.name
  description = "What may reach ${var.name}."
  type        = "CLOUD_ARMOR"

  dynamic "rule" {
    for_each = length(var.exempt_ranges) > 0 ? [var.exempt_ranges] : []

    content {
      priority    = local.priorities.exempt
      action      = "allow"
      description = "Ranges that are trusted, such as a load test's."
      match {
        versioned_expr = "SRC_IPS_V1"
        config {
          src_ip_ranges = rule.value
        }
      }
    }
  }

  dynamic "rule" {
    for_each = local.region_rules

    content {
      priority    = local.priorities.regions + rule.key
      action      = "deny(403)"
      description = "Regions that nothing is to come from: ${join(", ", rule.value)}."
      match {
        expr {
          expression = join(" || ", [for code in rule.value : "origin.region_code == '${code}'"])
        }
      }
    }
  }

  # Log4Shell and its like are denied from the first day: nothing legitimate looks so.
  rule {
    priority    = local.priorities.waf
    action      = "deny(403)"
    description = "Known vulnerabilities (CVE canary)."
    match {
      expr {
        expression = "evaluatePreconfiguredWaf('cve-canary')"
      }
    }
  }

  dynamic "rule" {
    for_each = var.waf.rule_sets

    content {
      priority    = local.priorities.waf + 1 + rule.key
      action      = "deny(403)"
      preview     = var.waf.preview
      description = "OWASP rules: ${rule.value}."
      match {
        expr {
          expression = "evaluatePreconfiguredWaf('${rule.value}', {'sensitivity': ${var.waf.sensitivity}})"
        }
      }
    }
  }

  # One rule throttles and bans. Two rules for all addresses would not: the first would decide alone.
  rule {
    priority    = local.priorities.rate
    action      = "rate_based_ban"
    description = "Too many requests from one address."
    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
    rate_limit_options {
      enforce_on_key   = "IP"
      conform_action   = "allow"
      exceed_action    = "deny(429)"
      ban_duration_sec = var.rate.ban_seconds
      rate_limit_threshold {
        count        = var.rate.requests
        interval_sec = var.rate.interval_seconds
      }
      ban_threshold {
        count        = var.rate.requests * var.rate.ban_at_times
        interval_sec = var.rate.interval_seconds
      }
    }
  }

  rule {
    priority    = local.priorities.default
    action      = "allow"
    description = "Everything else."
    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
  }

  adaptive_protection_config {
    layer_7_ddos_defense_config {
      enable          = true
      rule_visibility = "STANDARD"
    }
  }

  advanced_options_config {
    json_parsing = "STANDARD"
    log_level    = "VERBOSE"
  }
}

mock_provider "google" {}

variables {
  project_id = "my-product"
  name       = "product"
}

run "armor_in_order" {
  command = plan
  module {
    source = "./armor"
  }
  variables {
    blocked_regions = ["AQ", "BV", "HM", "TF", "GS", "UM"]
    exempt_ranges   = ["192.0.2.0/24"]
  }
  assert {
    condition = max([for rule in google_compute_security_policy.policy.rule : rule.priority if startswith(rule.action, "deny")]...) < one([
      for rule in google_compute_security_policy.policy.rule : rule.priority if rule.action == "rate_based_ban"
    ])
    error_message = "A rate limit lets pass what conforms, so it must come after whatever denies."
  }
  assert {
    condition     = length([for rule in google_compute_security_policy.policy.rule : rule if contains(["throttle", "rate_based_ban"], rule.action)]) == 1
    error_message = "Of two limits for all addresses the second would never be asked."
  }
  assert {
    condition     = alltrue([for rule in google_compute_security_policy.policy.rule : length(regexall("origin.region_code", try(rule.match[0].expr[0].expression, ""))) <= 5])
    error_message = "An expression may have five terms."
  }
  assert {
    condition     = length([for rule in google_compute_security_policy.policy.rule : rule if strcontains(try(rule.match[0].expr[0].expression, ""), "region_code")]) == 2
    error_message = "Six regions are two rules."
  }
  assert {
    condition = alltrue([for rule in google_compute_security_policy.policy.rule :
      rule.preview if strcontains(try(rule.match[0].expr[0].expression, ""), "sensitivity")
    ])
    error_message = "OWASP rules only log at first."
  }
  assert {
    condition     = one([for rule in google_compute_security_policy.policy.rule : rule if rule.priority == 2147483647]).match[0].versioned_expr == "SRC_IPS_V1"
    error_message = "There is a default rule, and its expression stands in match."
  }
  assert {
    condition     = one([for rule in google_compute_security_policy.policy.rule : rule if rule.action == "rate_based_ban"]).rate_limit_options[0].ban_threshold[0].count == 1500
    error_message = "Banned from five times the limit."
  }
}

run "armor_refuses_what_it_has_not" {
  command = plan
  module {
    source = "./armor"
  }
  variables {
    blocked_regions = ["germany"]
    rate            = { interval_seconds = 45 }
    waf             = { sensitivity = 5 }
    exempt_ranges   = ["everyone"]
  }
  expect_failures = [var.blocked_regions, var.rate, var.waf, var.exempt_ranges]
}

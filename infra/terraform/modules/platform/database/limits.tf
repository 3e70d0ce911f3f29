locals {
  # Cloud SQL's own default for the memory of each tier, in GB. https://cloud.google.com/sql/docs/postgres/flags
  memory_gb = startswith(var.tier, "db-custom-") ? tonumber(element(split("-", var.tier), 3)) / 1024 : { "db-f1-micro" = 0.6, "db-g1-small" = 1.7 }[var.tier]
  comfortable = (
    local.memory_gb < 1.7 ? 25 :
    local.memory_gb < 3.75 ? 50 :
    local.memory_gb < 6 ? 100 :
    local.memory_gb < 7.5 ? 200 :
    local.memory_gb < 15 ? 400 :
    local.memory_gb < 30 ? 500 :
    local.memory_gb < 60 ? 600 :
    local.memory_gb < 120 ? 800 : 1000
  )
}

# A warning, as more connections than Google's default can still be right: they cost memory, a few megabytes each.
check "connections_fit_the_tier" {
  assert {
    condition     = local.max_connections <= local.comfortable
    error_message = "connections: up to ${local.max_connections} may be open (${local.serverless} from requests, ${local.workers} from workers), more than Cloud SQL's default of ${local.comfortable} for ${var.tier}. Lower the service's concurrency or its instances, or take a larger tier."
  }
}

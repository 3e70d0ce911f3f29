# Two of the objectives are in no metric of Google's, but in lines of the log: how long a revision took until it served, and how
# long a backup took to be restored.

locals {
  # Cloud Run's own line of a revision that is ready ends in "Deploying revision succeeded in 8.03s." or "... in 1m31.01s."
  deployed = "log_id(\"cloudaudit.googleapis.com/system_event\") AND ${local.run_service} AND protoPayload.status.message:\"Deploying revision succeeded in\""

  measured = {
    deployment_seconds = {
      description = "Of the time from a new revision to its being ready, the seconds without whole minutes."
      filter      = local.deployed
      value       = "REGEXP_EXTRACT(protoPayload.status.message, \"([0-9]+(?:[.][0-9]+)?)s[.]?$\")"
    }
    deployment_minutes = {
      description = "Of the time from a new revision to its being ready, the whole minutes."
      filter      = local.deployed
      value       = "REGEXP_EXTRACT(protoPayload.status.message, \"succeeded in ([0-9]+)m\")"
    }
    # prove_backup writes it (jobs/prove_backup).
    restore_seconds = {
      description = "How long the newest backup took to be restored, when it was proved."
      filter      = "resource.type = \"cloud_run_job\" AND jsonPayload.job.details.restore_seconds>0"
      value       = "EXTRACT(jsonPayload.job.details.restore_seconds)"
    }
  }

  sums = {
    for name in keys(local.measured) : name => {
      for part in ["sum", "count"] : part =>
      "sum(increase({\"logging.googleapis.com/user/${var.service}/${name}_${part}\", monitored_resource=\"${name == "restore_seconds" ? "cloud_run_job" : "cloud_run_revision"}\"}[2d]))"
    }
  }
  deployment = "(${local.sums.deployment_seconds.sum} + 60 * (${local.sums.deployment_minutes.sum} or vector(0))) / ${local.sums.deployment_seconds.count}"
  recovery   = "${local.sums.restore_seconds.sum} / ${local.sums.restore_seconds.count}"
}

resource "google_logging_metric" "measured" {
  for_each = local.measured

  project         = var.project_id
  name            = "${var.service}/${each.key}"
  description     = each.value.description
  filter          = each.value.filter
  value_extractor = each.value.value

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
  }
}

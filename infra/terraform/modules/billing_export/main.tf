locals {
  # https://cloud.google.com/billing/docs/how-to/export-data-bigquery-tables/standard-usage
  table = "${var.project_id}.${var.dataset}.gcp_billing_export_v1_${replace(var.billing_account, "-", "_")}"
  # What credits gave back is negative in the export.
  net = "SUM(cost) + SUM(IFNULL((SELECT SUM(credit.amount) FROM UNNEST(credits) AS credit), 0))"
  # Without a bound on the partition each query would read, and bill, the whole of the export.
  recent = "DATE(_PARTITIONTIME) >= DATE_SUB(CURRENT_DATE(), INTERVAL 100 DAY)"
  is_gpu = "REGEXP_CONTAINS(sku.description, r'\\bGpu\\b|\\bGPU\\b')"

  # Grouped by place, as `project`, `service` and `sku` are columns of the export, too.
  views = {
    cost_by_day_and_service = {
      description = "Net cost by day, project and service, in the account's currency."
      query       = <<-SQL
        SELECT DATE(usage_start_time, 'America/Los_Angeles') AS day, project.id AS project, service.description AS service, currency, ${local.net} AS cost
        FROM `${local.table}`
        WHERE ${local.recent}
        GROUP BY 1, 2, 3, 4
      SQL
    }
    cost_by_label = {
      description = "Net cost by day and by the value of the label ${var.label}."
      query       = <<-SQL
        SELECT DATE(usage_start_time, 'America/Los_Angeles') AS day, IFNULL((SELECT value FROM UNNEST(labels) WHERE key = '${var.label}'), '(none)') AS label_value, currency, ${local.net} AS cost
        FROM `${local.table}`
        WHERE ${local.recent}
        GROUP BY 1, 2, 3
      SQL
    }
    cost_of_the_suite = {
      description = "What the suite itself costs, by day and automation: resources with the label caretaker."
      query       = <<-SQL
        SELECT DATE(usage_start_time, 'America/Los_Angeles') AS day, (SELECT value FROM UNNEST(labels) WHERE key = 'caretaker') AS automation, currency, ${local.net} AS cost
        FROM `${local.table}`
        WHERE ${local.recent} AND EXISTS (SELECT 1 FROM UNNEST(labels) WHERE key = 'caretaker')
        GROUP BY 1, 2, 3
      SQL
    }
    savings_by_day = {
      description = "About what the suite saved on GPUs by day: how much less each hour cost than the median of those in which they ran."
      query       = <<-SQL
        WITH hours AS (
          SELECT TIMESTAMP_TRUNC(usage_start_time, HOUR) AS hour, project.id AS project, sku.description AS sku, currency, ${local.net} AS cost
          FROM `${local.table}`
          WHERE ${local.recent} AND ${local.is_gpu}
          GROUP BY 1, 2, 3, 4
        ),
        usual AS (
          SELECT project, sku, currency, APPROX_QUANTILES(cost, 2)[OFFSET(1)] AS cost, MIN(hour) AS begun, MAX(hour) AS ended
          FROM hours
          WHERE cost > 0
          GROUP BY project, sku, currency
        )
        SELECT DATE(each_hour, 'America/Los_Angeles') AS day, usual.project, usual.sku, usual.currency, SUM(GREATEST(usual.cost - IFNULL(hours.cost, 0), 0)) AS saved
        FROM usual
        CROSS JOIN UNNEST(GENERATE_TIMESTAMP_ARRAY(usual.begun, usual.ended, INTERVAL 1 HOUR)) AS each_hour
        LEFT JOIN hours
        ON hours.hour = each_hour AND hours.project = usual.project AND hours.sku = usual.sku AND hours.currency = usual.currency
        GROUP BY 1, 2, 3, 4
      SQL
    }
    gpu_cost_by_hour = {
      description = "Net cost of GPUs by hour: what taking pools to zero saves shows in the hours that cost nothing."
      query       = <<-SQL
        SELECT TIMESTAMP_TRUNC(usage_start_time, HOUR) AS hour, project.id AS project, sku.description AS sku, currency, ${local.net} AS cost
        FROM `${local.table}`
        WHERE ${local.recent} AND ${local.is_gpu}
        GROUP BY 1, 2, 3, 4
      SQL
    }
  }
}

# Switching the export on is a click in the console, which no API does:
# Billing > Billing export > BigQuery export > Standard usage cost > Edit settings, and choose this dataset.
resource "google_bigquery_dataset" "export" {
  #checkov:skip=CKV_GCP_81:a key of one's own that is lost takes months of costs with it

  project         = var.project_id
  dataset_id      = var.dataset
  location        = var.location
  description     = "Cloud Billing's export, and Caretaker's views on it."
  labels          = var.labels
  deletion_policy = "ABANDON" # destroy leaves it: months of costs cannot be exported again

  lifecycle {
    # Cloud Billing adds its own account when the export is switched on.
    ignore_changes = [access]
  }
}

resource "google_bigquery_table" "view" {
  #checkov:skip=CKV_GCP_80:a view holds nothing
  #checkov:skip=CKV_GCP_121:as above

  for_each = var.table_is_there ? local.views : {}

  project             = var.project_id
  dataset_id          = google_bigquery_dataset.export.dataset_id
  table_id            = each.key
  description         = each.value.description
  labels              = var.labels
  deletion_protection = false # a view holds nothing

  view {
    query          = each.value.query
    use_legacy_sql = false
  }
}

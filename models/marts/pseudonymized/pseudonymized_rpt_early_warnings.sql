-- The last full week only: those before would say when a child was absent.
{{ pseudonymized(ref('rpt_early_warnings') ~ ' where is_latest_week') }}

{{ pseudonymized(ref('rpt_discrepancy_cohort')) }}

{{ pseudonymized(ref('fct_cohort_years')) }}

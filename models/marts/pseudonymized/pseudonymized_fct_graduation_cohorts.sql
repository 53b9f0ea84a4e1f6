{{ pseudonymized(ref('fct_graduation_cohorts')) }}

{{ pseudonymized(ref('fct_enrollments')) }}

{{ pseudonymized(ref('fct_assessments')) }}

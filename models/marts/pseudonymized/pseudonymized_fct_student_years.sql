{{ pseudonymized(ref('fct_student_years')) }}

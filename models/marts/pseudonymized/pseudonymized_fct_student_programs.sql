{{ pseudonymized(ref('fct_student_programs')) }}

{{ pseudonymized(ref('fct_student_year_involvements')) }}

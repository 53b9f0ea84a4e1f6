{{ pseudonymized(ref('fct_attendance_months')) }}

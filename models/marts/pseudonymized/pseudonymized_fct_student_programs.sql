-- Months instead of days, because the day of a loss of home can identify a child.
{{ pseudonymized(
    ref('fct_student_programs'),
    {
        'started_on': "cast(date_trunc('month', facts.started_on) as date)",
        'ended_on': "cast(date_trunc('month', facts.ended_on) as date)",
    }
) }}

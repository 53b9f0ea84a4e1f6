-- Month and weekday, because the dates on which a child was absent can identify it.
{{ pseudonymized(
    ref('fct_absences'),
    {
        'month': "cast(date_trunc('month', facts.calendar_date) as date)",
        'weekday': "cast(extract(isodow from facts.calendar_date) as smallint)",
    }
) }}

-- "1524 Monongahela St, Apt 32" and "1524 MONONGAHELA STREET #32" become the same.
select
    nullif(
        btrim(
            regexp_replace(
                regexp_replace(
                    regexp_replace(
                        lower(street),
                        '(#|[, ](apt|apartment|unit|fl|floor|rear)\M).*$',
                        ''
                    ),
                    '[^a-z0-9]+', ' ', 'g'
                ),
                '\m(n|north|s|south|e|east|w|west|st|street|ave|av|avenue|rd|road|dr|'
                || 'drive|ln|lane|ct|court|pl|place|blvd|boulevard|way|ter|terrace|'
                || 'cir|circle|sq|square|hwy|pike)\M *', '', 'g'
            )
        ),
        ''
    )

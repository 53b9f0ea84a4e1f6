select
    value_involved - value_not_involved
    + side * sqrt(
        (
            {{ function('wilson_bound') }}(value_involved, n_involved, side)
            - value_involved
        ) ^ 2
        + (
            {{ function('wilson_bound') }}(value_not_involved, n_not_involved, -side)
            - value_not_involved
        ) ^ 2
    )

-- One letter added, left out or mistaken, or two neighbors swapped.
select
    levenshtein_less_equal(one, other, 1) <= 1
    or (
        length(one) = length(other)
        and levenshtein_less_equal(one, other, 2) = 2
        and exists (
            select 1
            from generate_series(1, length(one) - 1) as position
            where
                substr(one, position, 1) = substr(other, position + 1, 1)
                and substr(one, position + 1, 1) = substr(other, position, 1)
                and left(one, position - 1) = left(other, position - 1)
                and substr(one, position + 2) = substr(other, position + 2)
        )
    )

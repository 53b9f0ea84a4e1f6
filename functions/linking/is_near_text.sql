-- One letter added, missing or wrong, or two neighbors swapped. `levenshtein` counts a
-- swap as two, so swaps are checked only at that distance.
select
    levenshtein_less_equal(one, other, 1) <= 1
    or (
        length(one) = length(other)
        and levenshtein_less_equal(one, other, 2) = 2
        and {{ function('has_swapped_neighbors') }}(one, other)
    )

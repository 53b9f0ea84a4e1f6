-- One letter added, left out or mistaken, or two neighbors swapped: two changes for
-- `levenshtein`, so that a swap is looked for among these only.
select
    levenshtein_less_equal(one, other, 1) <= 1
    or (
        length(one) = length(other)
        and levenshtein_less_equal(one, other, 2) = 2
        and {{ function('has_swapped_neighbors') }}(one, other)
    )

-- Most pairs share too few letters. `translate` finds that out much faster than
-- matching does: letters that the other text lacks cannot match, and equal first
-- letters close at most four tenths of the gap to 1.
select
    case when left(one, 1) = left(other, 1) then 0.4 else 0 end::double precision
    + case when left(one, 1) = left(other, 1) then 0.6 else 1 end::double precision
    * (
        1
        + least(
            length(one) - length(translate(one, other, '')),
            length(other) - length(translate(other, one, ''))
        )
        * (
            1 / greatest(length(one), 1)::double precision
            + 1 / greatest(length(other), 1)::double precision
        )
    ) / 3
    > threshold - 0.000001
    and {{ function('jaro_winkler_similarity') }}(one, other) >= threshold

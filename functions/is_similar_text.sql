-- Most texts share too few letters, which `translate` finds out far sooner than the
-- letters are matched: a letter that the other text has nowhere matches nothing, and
-- equal first letters raise a similarity by four tenths of its gap at most.
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

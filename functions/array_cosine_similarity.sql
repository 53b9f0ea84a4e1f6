-- The cosine of the angle between two vectors: null if one is all zeros.
select
    sum(elements.one * elements.other)
    / nullif(
        sqrt(sum(elements.one * elements.one) * sum(elements.other * elements.other)), 0
    )
from unnest(one, other) as elements (one, other)

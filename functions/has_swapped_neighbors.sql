-- A function of its own: with a subquery inside, PostgreSQL could not write
-- `is_near_text` into the query that calls it.
select count(*) > 0
from generate_series(1, length(one) - 1) as position
where
    substr(one, position, 1) = substr(other, position + 1, 1)
    and substr(one, position + 1, 1) = substr(other, position, 1)
    and left(one, position - 1) = left(other, position - 1)
    and substr(one, position + 2) = substr(other, position + 2)

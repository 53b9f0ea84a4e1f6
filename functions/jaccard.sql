-- Of the letters in either text, the share that is in both.
select
    count(distinct letter) filter (
        where strpos(one, letter) > 0 and strpos(other, letter) > 0
    )
    / nullif(count(distinct letter), 0)::double precision
from unnest(string_to_array(one || other, null)) as letters (letter)

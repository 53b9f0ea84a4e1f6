-- Faults of one kind in several files of a delivery are one.
select
    coalesce(%(names)s ->> partner_id, partner_id) as partner,
    as_of_date as delivery,
    coalesce(contract_object, 'no file of the contract') as file,
    coalesce(column_name, 'no single column') as in_column,
    count(*) as files,
    sum(occurrences)::bigint as times,
    meaning as what_it_means,
    coalesce(what_to_do, 'nothing: it is for us') as what_to_do
from file_issues
where not is_superseded
group by 1, 2, 3, 4, 7, 8
order by delivery desc, times desc, partner, what_it_means

select
    coalesce(district_name, partner_id) as partner,
    as_of_date as delivery,
    coalesce(contract_object, 'no file of the contract') as file,
    coalesce(column_name, 'no single column') as in_column,
    occurrences as times,
    meaning as what_it_means,
    coalesce(what_to_do, 'nothing: it is for us') as what_to_do
from file_issues
left join dim_districts on partner_id = district_id
where not is_superseded
order by as_of_date desc, occurrences desc

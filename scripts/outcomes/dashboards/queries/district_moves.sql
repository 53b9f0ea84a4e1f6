select
    from_district.district_name as from_district,
    to_district.district_name as to_district,
    count(distinct earlier.person_id) as people
from fct_enrollments as earlier
inner join fct_enrollments as later
    on
        earlier.person_id = later.person_id
        and earlier.district_id <> later.district_id
        and earlier.exit_date < later.entry_date
inner join dim_districts as from_district on earlier.district_id = from_district.district_id
inner join dim_districts as to_district on later.district_id = to_district.district_id
group by 1, 2
order by 3 desc, 1, 2

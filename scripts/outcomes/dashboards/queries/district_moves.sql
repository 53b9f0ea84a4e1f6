-- From each enrollment to the person's next one. An open spell ends with its school year.
with

enrollments as (

    select
        person_id,
        district_id,
        entry_date,
        lag(district_id) over next_enrollment as from_district_id,
        lag(coalesce(exit_date, make_date(school_year, 6, 30))) over next_enrollment
            as left_on
    from fct_enrollments
    window next_enrollment as (
        partition by person_id order by entry_date, exit_date nulls last, district_id
    )

)

select
    from_district.district_name as from_district,
    to_district.district_name as to_district,
    count(distinct enrollments.person_id) as people
from enrollments
inner join dim_districts as from_district
    on enrollments.from_district_id = from_district.district_id
inner join dim_districts as to_district on enrollments.district_id = to_district.district_id
where
    enrollments.from_district_id <> enrollments.district_id
    and enrollments.left_on < enrollments.entry_date
group by 1, 2
order by 3 desc, 1, 2

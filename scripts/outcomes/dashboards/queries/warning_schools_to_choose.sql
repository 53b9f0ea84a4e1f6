-- Schools of two districts can have the same name.
select distinct
    warnings.district_id || ':' || warnings.school_code as value,
    coalesce(schools.school_name, 'School ' || warnings.school_code)
    || case when %(district)s = 'all' then ', ' || districts.district_name else '' end as label
from rpt_early_warnings as warnings
inner join dim_districts as districts on warnings.district_id = districts.district_id
left join dim_schools as schools
    on
        warnings.district_id = schools.district_id
        and warnings.school_code = schools.school_code
where
    is_latest_week
    and warnings.school_code is not null
    and %(district)s in ('all', warnings.district_id)
order by label

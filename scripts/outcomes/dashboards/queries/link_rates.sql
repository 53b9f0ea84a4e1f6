select
    case
        when group_type = 'all' then group_type_label
        else group_type_label || ': ' || coalesce(district_name, group_value)
    end as students_of,
    group_type,
    students,
    100 * link_rate as share,
    100 * link_rate_low as low,
    100 * link_rate_high as high,
    to_char(100 * link_rate, 'FM990.0 "%%"') as linked,
    to_char(100 * link_rate_low, 'FM990.0') || ' to ' || to_char(100 * link_rate_high, 'FM990.0')
        as "95 %% interval",
    to_char(100 * expected_precision, 'FM990.0 "%%"') as expected_precision,
    to_char(100 * expected_recall, 'FM990.0 "%%"') as expected_recall,
    reviews,
    to_char(reviews_per_1000_students, 'FM990.0') as reviews_per_1000_students
from match_quality
inner join group_types using (group_type)
left join dim_districts on group_type = 'district' and group_value = district_id
where is_in_force
order by position, group_value

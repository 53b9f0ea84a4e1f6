-- Changes of school by children with a placement: from the month in which it began.
select
    (moves.school_year - 1) || '–' || right(moves.school_year::text, 2) as school_year,
    from_district.district_name as from_district,
    from_school.school_name as from_school,
    to_district.district_name as to_district,
    to_school.school_name as to_school,
    moves.entered_on,
    to_char(max(placements.started_on), 'YYYY-MM') as placement_began_in,
    moves.placement_began as shortly_before_the_move,
    moves.person_id as person_pseudonym
from rpt_school_moves as moves
inner join fct_involvements as placements
    on
        moves.person_id = placements.person_id
        and placements.started_on <= moves.entered_on
inner join move_triggers as triggers
    on placements.program_code = triggers.program_code and triggers.trigger = 'placement'
inner join dim_districts as from_district
    on moves.from_district_id = from_district.district_id
inner join dim_districts as to_district on moves.district_id = to_district.district_id
left join dim_schools as from_school on moves.from_school_key = from_school.school_key
left join dim_schools as to_school on moves.school_key = to_school.school_key
where
    placements.ended_on is null
    or placements.ended_on >= date_trunc('month', moves.entered_on)
group by
    moves.person_id, moves.school_year, from_district.district_name, from_school.school_name,
    to_district.district_name, to_school.school_name, moves.entered_on, moves.placement_began
order by moves.entered_on desc, person_pseudonym

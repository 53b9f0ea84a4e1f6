select
    (moves.school_year - 1) || '–' || right(moves.school_year::text, 2)
    || case
        when
            moves.school_year in (
                select school_year from fct_student_years
                where not is_complete_year
            )
            then ' so far'
        else ''
    end as school_year,
    count(*) as moves,
    count(*) filter (where placement_began) as soon_after_a_placement_began,
    count(*) filter (where shelter_stay_began) as soon_after_a_shelter_stay_began,
    count(*) filter (where placement_began is null or shelter_stay_began is null)
        as not_known
from rpt_school_moves as moves
group by moves.school_year
order by moves.school_year

select
    (school_year - 1) || '–' || right(school_year::text, 2) as school_year,
    count(*) as moves,
    count(*) filter (where placement_began) as soon_after_a_placement_began,
    count(*) filter (where shelter_stay_began) as soon_after_a_shelter_stay_began
from rpt_school_moves
group by rpt_school_moves.school_year
order by rpt_school_moves.school_year

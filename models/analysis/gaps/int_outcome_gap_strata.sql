{%- set means = ['attendance_rate', 'gpa'] %}
{%- set shares = [
    'is_chronically_absent_pde', 'is_chronically_absent_federal', 'is_proficient_math',
    'is_proficient_reading', 'promise_on_track_or_eligible',
] %}

with

student_years as (

    select * from {{ ref('fct_student_years') }}

),

involvements as (

    select * from {{ ref('fct_student_year_involvements') }}

),

grade_bands as (

    select * from {{ ref('grade_bands') }}

),

pseudonyms as (

    select * from {{ ref('pseudonyms') }}

),

-- Strata are numbered, because a number sorts much faster than the columns it stands
-- for.
measured as (

    select
        student_years.*,
        dense_rank() over (
            order by
                student_years.school_year,
                student_years.district_id,
                student_years.grade,
                student_years.economic_status
        ) as stratum,
        case
            when student_years.promise_status not in ('not_applicable', 'unknown')
                then student_years.promise_status in ('on_track', 'eligible')
        end as promise_on_track_or_eligible,
        pseudonyms.record_key
    from student_years
    inner join pseudonyms on student_years.student_key = pseudonyms.key

),

strata as (

    select distinct
        measured.stratum,
        measured.school_year,
        measured.district_id,
        coalesce(cast(measured.grade as text), 'unknown') as grade,
        coalesce(measured.economic_status, 'unknown') as economic_status,
        grade_bands.grade_band
    from measured
    left join grade_bands using (grade)

),

-- A group of everybody beside the involved, so that one aggregation serves both.
counted as (

    select
        student_years.student_key,
        student_years.school_year,
        definitions.program_group,
        definitions.involvement
    from student_years
    cross join
        lateral (
            values
            ('everybody', 'everybody', true),
            ('any', 'ever', student_years.involved_ever),
            ('any', 'prior_year', student_years.involved_prior_year),
            ('any', 'concurrent', student_years.involved_concurrent)
        ) as definitions (program_group, involvement, is_counted)
    where definitions.is_counted
    union all
    select
        involvements.student_key,
        involvements.school_year,
        involvements.program_group,
        definitions.involvement
    from involvements
    cross join
        lateral (
            values
            ('ever', involvements.involved_ever),
            ('prior_year', involvements.involved_prior_year),
            ('concurrent', involvements.involved_concurrent)
        ) as definitions (involvement, is_counted)
    where definitions.is_counted

),

-- Exact decimals, so that differences of sums are exact. The cell key method needs the
-- sum of the record keys of all students, and of those who contribute to the total.
wide_sums as (

    select
        measured.stratum,
        counted.program_group,
        counted.involvement,
        {% for mean in means %}
        count(measured.{{ mean }}) as {{ mean }}_n,
        sum(measured.{{ mean }}) as {{ mean }}_total,
        sum(measured.{{ mean }} * measured.{{ mean }}) as {{ mean }}_squares,
        sum(measured.record_key) filter (where measured.{{ mean }} is not null)
            as {{ mean }}_n_key,
        sum(measured.record_key) filter (where measured.{{ mean }} is not null)
            as {{ mean }}_total_key,
        {% endfor %}
        {% for share in shares %}
        count(measured.{{ share }}) as {{ share }}_n,
        sum(measured.{{ share }}::integer) as {{ share }}_total,
        sum(measured.{{ share }}::integer) as {{ share }}_squares,
        sum(measured.record_key) filter (where measured.{{ share }} is not null)
            as {{ share }}_n_key,
        sum(measured.record_key * measured.{{ share }}::integer)
            as {{ share }}_total_key,
        {% endfor %}
        grouping(
            measured.school_code,
            measured.race,
            measured.gender,
            measured.is_english_learner,
            measured.special_education
        ) = 31 as is_whole_stratum,
        measured.school_code,
        measured.race,
        measured.gender,
        measured.is_english_learner,
        measured.special_education
    from measured
    inner join counted using (student_key, school_year)
    group by
        measured.stratum,
        counted.program_group,
        counted.involvement,
        grouping sets (
            (),
            (measured.school_code),
            (measured.race),
            (measured.gender),
            (measured.is_english_learner),
            (measured.special_education)
        )

),

-- A stratum lies in one grade band and economic status, so its sums are also theirs. A
-- row of any other group has a value in that group's column only.
outcome_gap_strata as (

    select
        strata.school_year,
        strata.district_id,
        strata.grade,
        strata.economic_status,
        groups.group_type,
        groups.group_value,
        wide_sums.program_group,
        wide_sums.involvement,
        measures.measure,
        measures.is_proportion,
        measures.n,
        measures.total,
        measures.squares,
        measures.n_key,
        measures.total_key
    from wide_sums
    inner join strata using (stratum)
    cross join
        lateral (
            values
            (true, 'all', 'all'),
            (true, 'grade_band', strata.grade_band),
            (true, 'economic_status', nullif(strata.economic_status, 'unknown')),
            (false, 'school', wide_sums.school_code),
            (false, 'race', cast(wide_sums.race as text)),
            (false, 'gender', wide_sums.gender),
            (
                false,
                'english_learner',
                case wide_sums.is_english_learner
                    when true then 'yes'
                    when false then 'no'
                end
            ),
            (false, 'special_education', wide_sums.special_education)
        ) as groups (is_whole_stratum, group_type, group_value)
    cross join
        lateral (
            values
            {% for measure in means + shares %}
            (
                '{{ measure }}',
                {{ measure in shares }},
                wide_sums.{{ measure }}_n,
                wide_sums.{{ measure }}_total,
                wide_sums.{{ measure }}_squares,
                wide_sums.{{ measure }}_n_key,
                wide_sums.{{ measure }}_total_key
            ){{ ',' if not loop.last }}
            {% endfor %}
        ) as measures (
            measure, is_proportion, n, total, squares, n_key, total_key
        )
    where
        wide_sums.is_whole_stratum = groups.is_whole_stratum
        and groups.group_value is not null
        and measures.n > 0

)

select * from outcome_gap_strata

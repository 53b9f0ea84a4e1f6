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

record_keys as (

    select
        key as student_key,
        record_key,
        value_record_key
    from {{ ref('pseudonyms') }}

),

-- One column per measure; a share is the mean of zeros and ones. Strata are numbered,
-- because a number sorts much faster than the columns it stands for.
measured as (

    select
        student_years.student_key,
        student_years.school_year,
        student_years.district_id,
        student_years.grade,
        student_years.economic_status,
        dense_rank() over (
            order by
                student_years.school_year,
                student_years.district_id,
                student_years.grade,
                student_years.economic_status
        ) as stratum,
        student_years.school_code,
        student_years.race,
        student_years.gender,
        student_years.is_english_learner,
        student_years.special_education,
        student_years.attendance_rate,
        student_years.gpa,
        cast(student_years.is_chronically_absent_pde as integer)
            as is_chronically_absent_pde,
        cast(student_years.is_chronically_absent_federal as integer)
            as is_chronically_absent_federal,
        cast(student_years.is_proficient_math as integer) as is_proficient_math,
        cast(student_years.is_proficient_reading as integer) as is_proficient_reading,
        case
            when student_years.promise_status in ('on_track', 'eligible') then 1
            when student_years.promise_status not in ('not_applicable', 'unknown')
                then 0
        end as promise_on_track_or_eligible,
        record_keys.record_key,
        record_keys.value_record_key
    from student_years
    inner join record_keys on student_years.student_key = record_keys.student_key

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
    left join grade_bands on measured.grade = grade_bands.grade

),

-- Involved in any program, counted once.
flags as (

    select
        student_key,
        school_year,
        'any' as program_group,
        involved_ever,
        involved_prior_year,
        involved_concurrent
    from student_years
    union all
    select
        student_key,
        school_year,
        program_group,
        involved_ever,
        involved_prior_year,
        involved_concurrent
    from involvements

),

-- A group of everybody beside the involved, so that one aggregation serves both.
counted as (

    select
        flags.student_key,
        flags.school_year,
        flags.program_group,
        definitions.involvement
    from flags
    cross join
        lateral (
            values
            ('ever', flags.involved_ever),
            ('prior_year', flags.involved_prior_year),
            ('concurrent', flags.involved_concurrent)
        ) as definitions (involvement, is_involved)
    where definitions.is_involved
    union all
    select
        student_key,
        school_year,
        'everybody' as program_group,
        'everybody' as involvement
    from student_years

),

-- Exact decimals, so that differences of sums are exact. The cell key method needs the
-- sum of the record keys of all students, and of those with the outcome.
wide_sums as (

    select
        measured.stratum,
        counted.program_group,
        counted.involvement,
        grouping(
            measured.school_code,
            measured.race,
            measured.gender,
            measured.is_english_learner,
            measured.special_education
        ) as left_out,
        measured.school_code,
        measured.race,
        measured.gender,
        measured.is_english_learner,
        measured.special_education,
        count(measured.attendance_rate) as attendance_n,
        sum(measured.attendance_rate) as attendance_total,
        sum(measured.attendance_rate * measured.attendance_rate) as attendance_squares,
        sum(measured.record_key) filter (
            where measured.attendance_rate is not null
        ) as attendance_n_key,
        sum(measured.value_record_key) filter (
            where measured.attendance_rate is not null
        ) as attendance_total_key,
        count(measured.gpa) as gpa_n,
        sum(measured.gpa) as gpa_total,
        sum(measured.gpa * measured.gpa) as gpa_squares,
        sum(measured.record_key) filter (
            where measured.gpa is not null
        ) as gpa_n_key,
        sum(measured.value_record_key) filter (
            where measured.gpa is not null
        ) as gpa_total_key,
        count(measured.is_chronically_absent_pde) as pde_n,
        sum(measured.is_chronically_absent_pde) as pde_total,
        sum(measured.record_key) filter (
            where measured.is_chronically_absent_pde is not null
        ) as pde_n_key,
        sum(measured.record_key * measured.is_chronically_absent_pde)
            as pde_total_key,
        count(measured.is_chronically_absent_federal) as federal_n,
        sum(measured.is_chronically_absent_federal) as federal_total,
        sum(measured.record_key) filter (
            where measured.is_chronically_absent_federal is not null
        ) as federal_n_key,
        sum(measured.record_key * measured.is_chronically_absent_federal)
            as federal_total_key,
        count(measured.is_proficient_math) as math_n,
        sum(measured.is_proficient_math) as math_total,
        sum(measured.record_key) filter (
            where measured.is_proficient_math is not null
        ) as math_n_key,
        sum(measured.record_key * measured.is_proficient_math)
            as math_total_key,
        count(measured.is_proficient_reading) as reading_n,
        sum(measured.is_proficient_reading) as reading_total,
        sum(measured.record_key) filter (
            where measured.is_proficient_reading is not null
        ) as reading_n_key,
        sum(measured.record_key * measured.is_proficient_reading)
            as reading_total_key,
        count(measured.promise_on_track_or_eligible) as promise_n,
        sum(measured.promise_on_track_or_eligible) as promise_total,
        sum(measured.record_key) filter (
            where measured.promise_on_track_or_eligible is not null
        ) as promise_n_key,
        sum(measured.record_key * measured.promise_on_track_or_eligible)
            as promise_total_key
    from measured
    inner join counted
        on
            measured.student_key = counted.student_key
            and measured.school_year = counted.school_year
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

-- A stratum lies in one grade band and economic status, so its sums are also theirs.
-- `grouping` sets a bit for each column that is not part of the row's grouping set.
grouped_sums as (

    select
        wide_sums.*,
        strata.school_year,
        strata.district_id,
        strata.grade,
        strata.economic_status,
        groups.group_type,
        groups.group_value
    from wide_sums
    inner join strata on wide_sums.stratum = strata.stratum
    cross join
        lateral (
            values
            (b'11111', 'all', 'all'),
            (b'11111', 'grade_band', strata.grade_band),
            (
                b'11111',
                'economic_status',
                nullif(strata.economic_status, 'unknown')
            ),
            (b'01111', 'school', wide_sums.school_code),
            (b'10111', 'race', cast(wide_sums.race as text)),
            (b'11011', 'gender', wide_sums.gender),
            (
                b'11101',
                'english_learner',
                case
                    when wide_sums.is_english_learner then 'yes'
                    when not wide_sums.is_english_learner then 'no'
                end
            ),
            (b'11110', 'special_education', wide_sums.special_education)
        ) as groups (left_out, group_type, group_value)
    where
        cast(groups.left_out as integer) = wide_sums.left_out
        and groups.group_value is not null

),

-- The squares of a share are its values, because 0 and 1 are their own squares.
outcome_gap_strata as (

    select
        grouped_sums.school_year,
        grouped_sums.district_id,
        grouped_sums.grade,
        grouped_sums.economic_status,
        grouped_sums.group_type,
        grouped_sums.group_value,
        grouped_sums.program_group,
        grouped_sums.involvement,
        measures.measure,
        measures.is_proportion,
        measures.n,
        measures.total,
        measures.squares,
        measures.n_key,
        measures.total_key
    from grouped_sums
    cross join
        lateral (
            values
            (
                'attendance_rate',
                false,
                grouped_sums.attendance_n,
                grouped_sums.attendance_total,
                grouped_sums.attendance_squares,
                grouped_sums.attendance_n_key,
                grouped_sums.attendance_total_key
            ),
            (
                'gpa',
                false,
                grouped_sums.gpa_n,
                grouped_sums.gpa_total,
                grouped_sums.gpa_squares,
                grouped_sums.gpa_n_key,
                grouped_sums.gpa_total_key
            ),
            (
                'is_chronically_absent_pde',
                true,
                grouped_sums.pde_n,
                grouped_sums.pde_total,
                grouped_sums.pde_total,
                grouped_sums.pde_n_key,
                grouped_sums.pde_total_key
            ),
            (
                'is_chronically_absent_federal',
                true,
                grouped_sums.federal_n,
                grouped_sums.federal_total,
                grouped_sums.federal_total,
                grouped_sums.federal_n_key,
                grouped_sums.federal_total_key
            ),
            (
                'is_proficient_math',
                true,
                grouped_sums.math_n,
                grouped_sums.math_total,
                grouped_sums.math_total,
                grouped_sums.math_n_key,
                grouped_sums.math_total_key
            ),
            (
                'is_proficient_reading',
                true,
                grouped_sums.reading_n,
                grouped_sums.reading_total,
                grouped_sums.reading_total,
                grouped_sums.reading_n_key,
                grouped_sums.reading_total_key
            ),
            (
                'promise_on_track_or_eligible',
                true,
                grouped_sums.promise_n,
                grouped_sums.promise_total,
                grouped_sums.promise_total,
                grouped_sums.promise_n_key,
                grouped_sums.promise_total_key
            )
        ) as measures (
            measure, is_proportion, n, total, squares, n_key, total_key
        )
    where measures.n > 0

)

select * from outcome_gap_strata

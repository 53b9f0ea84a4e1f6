with

quasi_identifiers as (

    select * from {{ ref('int_quasi_identifiers') }}

),

deidentified as (

    select * from {{ ref('int_deidentified_person_years') }}

),

compared as (

    select
        quasi_identifiers.district_id,
        quasi_identifiers.school_year,
        columns.column_name,
        columns.is_known,
        deidentified.person_id is null as is_left_out,
        columns.is_known and not coalesce(columns.is_shown, false) as is_given_up
    from quasi_identifiers
    left join deidentified
        on
            quasi_identifiers.person_id = deidentified.person_id
            and quasi_identifiers.district_id = deidentified.district_id
            and quasi_identifiers.school_year = deidentified.school_year
    cross join
        lateral (
            values
            {% for column in [
                'schools',
                'birth_year',
                'special_education',
                'race',
                'is_english_learner',
                'economic_status',
                'gender',
                'grade',
            ] %}
            (
                '{{ column }}',
                quasi_identifiers.{{ column }} is not null,
                deidentified.{{ column }} is not null
            ){{ ',' if not loop.last }}
            {% endfor %}
        ) as columns (column_name, is_known, is_shown)

),

generalization as (

    select
        district_id,
        school_year,
        column_name,
        count(*) as n_people,
        count(*) filter (where is_left_out) as n_left_out,
        count(*) filter (where is_known) as n_known,
        count(*) filter (where is_given_up) as n_given_up,
        cast(
            count(*) filter (where is_given_up)
            / nullif(cast(count(*) filter (where is_known) as numeric), 0)
            as numeric(5, 4)
        ) as share_given_up
    from compared
    group by district_id, school_year, column_name

)

select * from generalization

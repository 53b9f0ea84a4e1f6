{#
    Given up from the first to the last, by those who are too few to share them: first what
    tells most and is asked for least.
#}
{% set columns = [
    'schools',
    'birth_year',
    'special_education',
    'race',
    'is_english_learner',
    'economic_status',
    'gender',
    'grade',
] %}

with

quasi_identifiers as (

    select * from {{ ref('int_quasi_identifiers') }}

),

policy as (

    select * from {{ ref('deidentification') }}

),

step_0 as (

    select * from quasi_identifiers

),

{% for column in columns %}
sized_{{ loop.index }} as (

    select
        *,
        count(*) over (
            partition by district_id, school_year, {{ columns | join(', ') }}
        ) as n_alike
    from step_{{ loop.index0 }}

),

step_{{ loop.index }} as (

    select
        sized.person_id,
        sized.district_id,
        sized.school_year,
        {% for kept in columns if kept != column %}
        sized.{{ kept }},
        {% endfor %}
        case
            when sized.n_alike >= policy.smallest_class then sized.{{ column }}
        end as {{ column }}
    from sized_{{ loop.index }} as sized
    cross join policy

),

{% endfor %}
classes as (

    select
        *,
        count(*) over class as n_alike,
        min(person_id) over class as class_id,
        count(*) over (partition by district_id, school_year) as n_people
    from step_{{ columns | length }}
    window class as (
        partition by district_id, school_year, {{ columns | join(', ') }}
    )

),

-- Those who have given up everything may still be too few. Then the smallest class that
-- is large enough joins them.
joined_classes as (

    select
        classes.*,
        policy.smallest_class,
        bool_or(classes.n_alike < policy.smallest_class) over (
            partition by classes.district_id, classes.school_year
        ) as has_too_few,
        first_value(classes.class_id) over (
            partition by classes.district_id, classes.school_year
            order by
                classes.n_alike < policy.smallest_class,
                classes.n_alike,
                classes.class_id
        ) as joining_class_id
    from classes
    cross join policy

),

-- A district with fewer people in a school year has no class to hide them in.
deidentified_person_years as (

    select
        {% for column in columns %}
        case
            when not has_too_few or class_id <> joining_class_id then {{ column }}
        end as {{ column }},
        {% endfor %}
        person_id,
        district_id,
        school_year
    from joined_classes
    where n_people >= smallest_class

)

select * from deidentified_person_years

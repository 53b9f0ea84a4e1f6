{{ config(tags='incremental_linking') }}
{% set linked = linking_state('int_identity_linked_deliveries') %}

with

student_versions as (

    select * from {{ ref('stg_student_versions') }}

),

thresholds as (

    select * from {{ ref('match_thresholds') }}

),

linked_deliveries as (

    {% if linked %}
    select distinct
        signature,
        clients_born_from
    from {{ linked }}
    {% else %}
    select
        cast(null as text) as signature,
        cast(null as date) as clients_born_from
    where false
    {% endif %}

),

-- Most clients are too old to be a student. Whole years, so that it seldom moves.
oldest_student as (

    select
        make_date(
            cast(
                extract(year from min(student_versions.birth_date))
                - max(thresholds.value)
                as integer
            ),
            1,
            1
        ) as clients_born_from
    from thresholds
    left join student_versions on student_versions.birth_date > date '1900-01-01'
    where thresholds.setting = 'years_before_oldest_student'

),

present as (

    select '{{ linking_signature() }}' as signature

),

identity_pass as (

    select
        present.signature,
        oldest_student.clients_born_from,
        {{ is_full_refresh_asked() }}
        or not exists (
            select from linked_deliveries
            where
                linked_deliveries.signature = present.signature
                and linked_deliveries.clients_born_from
                is not distinct from oldest_student.clients_born_from
        ) as is_full
    from oldest_student
    cross join present

)

select * from identity_pass

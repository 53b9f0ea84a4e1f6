{%- set compared = compared_columns() %}
{%- set filters = {'ssn': ' filter (where has_overused_ssn is not true)'} %}

with

scores as (

    select * from {{ ref('int_identity_scores') }}
    where pair_type = 'student_client'

),

client_persons as (

    select * from {{ ref('int_identity_client_persons') }}

),

numbers as (

    select * from {{ ref('int_identity_numbers') }}
    where number_type = 'ssn'

),

identities as not materialized (

    select * from {{ ref('int_identities') }}

),

priors as (

    select * from {{ ref('int_identity_prior') }}

),

policy as (

    select * from {{ ref('int_identity_policy') }}

),

pairs as (

    select
        scores.*,
        client_persons.client_person_id,
        scores.ssn = 'exact' and not numbers.is_evidence as has_overused_ssn,
        case when coalesce(scores.ssn, '') <> 'exact' then clients.ssn end as other_ssn,
        scores.ssn = 'exact' and coalesce(numbers.birth_years, 1) <= 1 as has_sole_ssn,
        -- By an initial or three letters, because the rest of a name may have a typo.
        starts_with(clients.first_name, left(students.middle_name, 3))
            as fits_middle_name,
        starts_with(students.first_name, left(clients.middle_name, 3))
            as fits_first_name,
        abs(clients.birth_date - students.birth_date) < policy.close_birth_date_days
            as has_close_birth_date
    from scores
    inner join client_persons
        on scores.other_identity_id = client_persons.client_identity_id
    inner join identities as students
        on scores.student_identity_id = students.identity_id
    inner join identities as clients
        on scores.other_identity_id = clients.identity_id
    left join numbers on scores.other_identity_id = numbers.client_identity_id
    cross join policy
    where scores.match_weight >= policy.pooling_weight

),

-- Each comparison counts with its heaviest level among the client's records. An SSN of
-- too many people counts as unknown.
pooled as (

    select
        client_person_id,
        student_key,
        (
            array_agg(
                student_identity_id order by match_weight desc, student_identity_id
            )
        )[1] as student_identity_id,
        {% for comparison in compared %}
        (
            array_agg(
                {{ comparison }} order by {{ comparison }}_weight desc nulls last
            ){{ filters[comparison] }}
        )[1] as {{ comparison }},
        max({{ comparison }}_weight){{ filters[comparison] }}
            as {{ comparison }}_weight,
        {% endfor %}
        max(other_ssn) as other_ssn,
        coalesce(bool_or(has_sole_ssn), false) as has_sole_ssn,
        coalesce(bool_or(fits_middle_name or fits_first_name), false) as fits_initial,
        coalesce(bool_or(fits_middle_name and fits_first_name), false) as fits_initials,
        coalesce(bool_or(has_close_birth_date), false) as has_close_birth_date
    from pairs
    group by client_person_id, student_key

),

client_evidence as (

    select
        pooled.*,
        priors.prior_match_weight
        {%- for comparison in compared %}
        + coalesce(pooled.{{ comparison }}_weight, 0)
        {%- endfor %} as match_weight
    from pooled
    cross join priors

)

select * from client_evidence

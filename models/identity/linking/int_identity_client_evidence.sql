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

shared_ssns as (

    select * from {{ ref('int_identity_identifiers') }}
    where identifier_type = 'ssn'

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
        scores.ssn = 'exact' and not shared_ssns.is_evidence as has_overused_ssn,
        case when coalesce(scores.ssn, '') <> 'exact' then clients.ssn end as other_ssn,
        scores.ssn = 'exact' and coalesce(shared_ssns.birth_years, 1) <= 1
            as has_sole_ssn,
        -- By an initial or three letters, because the rest of a name may have a typo.
        starts_with(clients.first_name, left(students.middle_name, 3))
            as fits_middle_name,
        starts_with(students.first_name, left(clients.middle_name, 3))
            as fits_first_name,
        abs(clients.birth_date - students.birth_date) as days_apart
    from scores
    inner join client_persons
        on scores.other_identity_id = client_persons.client_identity_id
    inner join identities as students
        on scores.student_identity_id = students.identity_id
    inner join identities as clients
        on scores.other_identity_id = clients.identity_id
    left join shared_ssns
        on scores.other_identity_id = shared_ssns.client_identity_id
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
        bool_or(has_sole_ssn) as has_sole_ssn,
        bool_or(fits_middle_name or fits_first_name) as fits_initial,
        bool_or(fits_middle_name and fits_first_name) as fits_initials,
        min(days_apart) as fewest_days_apart,
        max(days_apart) as most_days_apart
    from pairs
    group by client_person_id, student_key

),

weighted as (

    select
        pooled.*,
        priors.prior_match_weight
        {%- for comparison in compared %}
        + coalesce(pooled.{{ comparison }}_weight, 0)
        {%- endfor %} as match_weight
    from pooled
    cross join priors

),

client_evidence as (

    select
        weighted.client_person_id,
        weighted.student_key,
        weighted.student_identity_id,
        {% for comparison in compared %}
        weighted.{{ comparison }},
        weighted.{{ comparison }}_weight,
        {% endfor %}
        weighted.match_weight,
        weighted.other_ssn,
        concat_ws(
            ' ',
            case when weighted.has_sole_ssn then 'sole_ssn' end,
            case when weighted.fits_initial then 'name_swapped' end,
            case when weighted.fits_initials then 'names_swapped' end,
            case
                when weighted.fewest_days_apart < policy.close_birth_date_days
                    then 'close_birth_date'
            end,
            case
                when weighted.most_days_apart < policy.generation_years * 365.25
                    then 'same_generation'
            end,
            case
                when weighted.match_weight >= policy.exemption_weight
                    then 'enough_weight'
            end
        ) as facts
    from weighted
    cross join policy

)

select * from client_evidence

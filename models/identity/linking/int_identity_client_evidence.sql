{%- set compared = [
    'last_name', 'first_name', 'middle_name', 'suffix', 'birth_date', 'gender', 'ssn',
    'address', 'state_id',
] %}
{%- set others = compared | reject('equalto', 'ssn') | list %}

with

scores as (

    select * from {{ ref('int_identity_scores') }}
    where pair_type = 'student_client'

),

client_persons as (

    select * from {{ ref('int_identity_client_persons') }}

),

numbers as (

    select distinct
        number,
        birth_years,
        is_evidence
    from {{ ref('int_identity_numbers') }}
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

-- The agreement of a number that too many people use counts as unknown.
pairs as (

    select
        scores.student_key,
        scores.student_identity_id,
        scores.match_weight,
        client_persons.client_person_id,
        {% for comparison in others %}
        scores.{{ comparison }},
        scores.{{ comparison }}_weight,
        {% endfor %}
        case
            when scores.ssn <> 'exact' or numbers.is_evidence is not false
                then scores.ssn
        end as ssn,
        case
            when scores.ssn <> 'exact' or numbers.is_evidence is not false
                then scores.ssn_weight
        end as ssn_weight,
        case when coalesce(scores.ssn, '') <> 'exact' then clients.ssn end as other_ssn,
        scores.ssn = 'exact' and coalesce(numbers.birth_years, 1) <= 1 as has_sole_ssn,
        left(clients.first_name, 1) = left(students.middle_name, 1) as fits_middle_name,
        left(clients.middle_name, 1) = left(students.first_name, 1) as fits_first_name
    from scores
    inner join client_persons
        on scores.other_identity_id = client_persons.client_identity_id
    inner join identities as students
        on scores.student_identity_id = students.identity_id
    inner join identities as clients
        on scores.other_identity_id = clients.identity_id
    left join numbers on clients.ssn = numbers.number
    cross join policy
    where scores.match_weight >= policy.pooling_weight

),

-- Of all that a client's records say, what agrees best counts in each comparison.
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
            )
        )[1] as {{ comparison }},
        max({{ comparison }}_weight) as {{ comparison }}_weight,
        {% endfor %}
        max(other_ssn) as other_ssn,
        coalesce(bool_or(has_sole_ssn), false) as has_sole_ssn,
        coalesce(bool_or(fits_middle_name or fits_first_name), false) as fits_initial,
        coalesce(bool_or(fits_middle_name and fits_first_name), false) as fits_initials
    from pairs
    group by client_person_id, student_key

),

client_evidence as (

    select
        pooled.*,
        sums.match_weight,
        {{ function('match_probability') }}(sums.match_weight) as match_probability
    from pooled
    cross join priors
    cross join
        lateral (
            values (
                priors.prior_match_weight
                {% for comparison in compared %}
                + coalesce(pooled.{{ comparison }}_weight, 0)
                {% endfor %}
            )
        ) as sums (match_weight)

)

select * from client_evidence

with

client_links as not materialized (

    select * from {{ ref('int_identity_client_links') }}

),

records as (

    select * from {{ ref('int_identity_records') }}

),

persons as (

    select * from {{ ref('int_identity_persons') }}

),

identity_groups as (

    select * from {{ ref('int_identity_groups') }}

),

match_calibration as (

    select * from {{ ref('match_calibration') }}

),

policy as (

    select * from {{ ref('int_identity_policy') }}

),

-- Other link weights to choose from, and the one in force.
thresholds as (

    select cast(bits as double precision) as link_weight
    from generate_series(0, 20, 2) as bits

    union

    select link_weight from policy

),

clients as (

    select
        client_links.client_person_id,
        client_links.student_key,
        client_links.person_id,
        client_links.decision,
        client_links.rule,
        client_links.match_weight,
        bool_or(client_links.decided_by = 'reviewer') as is_reviewed,
        count(*) as record_count
    from client_links
    inner join records on client_links.client_identity_id = records.identity_id
    group by
        client_links.client_person_id,
        client_links.student_key,
        client_links.person_id,
        client_links.decision,
        client_links.rule,
        client_links.match_weight

),

-- Reviewers' links count as certain. Clients whom a reviewer refused are left out, and
-- clients whom a rule holds without review.
candidates as (

    select
        clients.student_key,
        clients.person_id,
        clients.decision,
        clients.record_count,
        case
            when clients.is_reviewed then cast('infinity' as double precision)
            else clients.match_weight
        end as match_weight,
        -- Decimals, because a floating-point sum depends on the order of its terms.
        case
            when clients.is_reviewed then 1
            else coalesce(cast(match_calibration.true_share as numeric(20, 12)), 0)
        end as true_share,
        clients.rule is not null as is_held
    from clients
    left join match_calibration
        on
            clients.rule = match_calibration.rule
            or (
                clients.rule is null
                and clients.match_weight >= match_calibration.weight_from
                and coalesce(
                    clients.match_weight < match_calibration.weight_to, true
                )
            )
    where
        case
            when clients.is_reviewed then clients.decision = 'link'
            else clients.rule is null or clients.decision = 'review'
        end

),

matches as (

    select
        student_key,
        sum(record_count * true_share) as expected_matches
    from candidates
    group by student_key

),

-- What becomes of a candidate at each threshold. Those neither linked nor reviewed are
-- left out.
outcomes as (

    select
        candidates.*,
        thresholds.link_weight,
        not candidates.is_held
        and candidates.match_weight >= thresholds.link_weight as is_linked
    from candidates
    cross join thresholds
    cross join policy
    where
        candidates.is_held
        or candidates.match_weight
        >= least(policy.review_weight, thresholds.link_weight)

),

by_student as (

    select
        student_key,
        link_weight,
        sum(record_count) filter (where is_linked) as linked_records,
        sum(record_count * true_share) filter (where is_linked) as expected_true_links,
        count(*) filter (where not is_linked) as reviews
    from outcomes
    group by student_key, link_weight

),

strongest as (

    select
        person_id,
        max(match_weight) as match_weight
    from candidates
    where not is_held
    group by person_id

),

measured as (

    select
        identity_groups.group_type,
        identity_groups.group_value,
        thresholds.link_weight,
        count(*) as students,
        count(*) filter (
            where strongest.match_weight >= thresholds.link_weight
        ) as linked_students,
        coalesce(sum(by_student.linked_records), 0) as linked_records,
        sum(by_student.expected_true_links) as expected_true_links,
        sum(matches.expected_matches) as expected_matches,
        coalesce(sum(by_student.reviews), 0) as reviews
    from identity_groups
    inner join persons using (student_key)
    cross join thresholds
    left join by_student using (student_key, link_weight)
    left join matches using (student_key)
    left join strongest using (person_id)
    group by
        identity_groups.group_type,
        identity_groups.group_value,
        thresholds.link_weight

),

shares as (

    select
        *,
        cast(linked_students as double precision) / students as link_rate
    from measured

),

match_quality as (

    select
        shares.group_type,
        shares.group_value,
        shares.link_weight,
        shares.link_weight = policy.link_weight as is_in_force,
        shares.students,
        shares.linked_students,
        shares.link_rate,
        {{ function('wilson_bound') }}(shares.link_rate, shares.students, -1)
            as link_rate_low,
        {{ function('wilson_bound') }}(shares.link_rate, shares.students, 1)
            as link_rate_high,
        cast(shares.linked_records as bigint) as linked_records,
        cast(
            shares.expected_true_links / nullif(shares.linked_records, 0)
            as double precision
        ) as expected_precision,
        cast(
            coalesce(shares.expected_true_links, 0) / nullif(shares.expected_matches, 0)
            as double precision
        ) as expected_recall,
        cast(shares.reviews as bigint) as reviews,
        1000.0 * cast(shares.reviews as double precision) / shares.students
            as reviews_per_1000_students
    from shares
    cross join policy

)

select * from match_quality

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

policy as (

    select * from {{ ref('int_identity_policy') }}

),

queued_pairs as (

    select
        {{ student_key('queue') }} as student_key,
        queue.other_partner_id || ':' || queue.other_record_id as other_student_key,
        row_number() over () as pair_number
    from {{ ref('match_review_queue') }} as queue
    where queue.other_record_type = 'student'

),

queued_students as (

    select
        pair_number,
        unnest(array[student_key, other_student_key]) as student_key
    from queued_pairs

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
        client_links.match_probability,
        client_links.evidence,
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
        client_links.match_weight,
        client_links.match_probability,
        client_links.evidence

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
            else cast(clients.match_probability as numeric(20, 12))
        end as true_share,
        clients.evidence = 'names' and not clients.is_reviewed as has_names_only,
        clients.rule is not null as has_rule
    from clients
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
        not candidates.has_rule
        and candidates.match_weight >= thresholds.link_weight as is_linked
    from candidates
    cross join thresholds
    cross join policy
    where
        candidates.has_rule
        or candidates.match_weight
        >= least(policy.review_weight, thresholds.link_weight)

),

by_student as (

    select
        student_key,
        link_weight,
        sum(record_count) filter (where is_linked) as linked_records,
        sum(record_count) filter (where is_linked and has_names_only)
            as names_only_records,
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
    where not has_rule
    group by person_id

),

-- Pairs of two students, in review at every threshold. A pair counts once in a group.
student_reviews as (

    select
        identity_groups.group_type,
        identity_groups.group_value,
        count(distinct queued_students.pair_number) as reviews
    from queued_students
    inner join identity_groups using (student_key)
    group by identity_groups.group_type, identity_groups.group_value

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
        coalesce(sum(by_student.names_only_records), 0) as names_only_records,
        sum(by_student.expected_true_links) as expected_true_links,
        sum(matches.expected_matches) as expected_matches,
        coalesce(sum(by_student.reviews), 0) as client_reviews
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
        measured.*,
        cast(measured.linked_students as double precision)
        / measured.students as link_rate,
        measured.client_reviews + coalesce(student_reviews.reviews, 0) as reviews
    from measured
    left join student_reviews using (group_type, group_value)

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
        ) * (1 - policy.missed_share) as expected_recall,
        -- Among the measured populations, few links rest on names alone. Many do where
        -- fields are missing, or where one ZIP code stands for all.
        coalesce(
            shares.names_only_records
            > policy.most_names_only * cast(shares.linked_records as double precision),
            false
        ) as is_extrapolation,
        cast(shares.reviews as bigint) as reviews,
        1000.0 * cast(shares.reviews as double precision) / shares.students
            as reviews_per_1000_students
    from shares
    cross join policy

)

select * from match_quality

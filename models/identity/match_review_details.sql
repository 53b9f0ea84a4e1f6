with

review_queue as (

    select
        queue.*,
        {{ student_key('queue') }} as student_key,
        case queue.other_record_type
            when 'student' then queue.other_partner_id || ':' || queue.other_record_id
            else queue.other_record_id
        end as other_record_key
    from {{ ref('match_review_queue') }} as queue

),

persons as (

    select * from {{ ref('int_identity_persons') }}

),

student_versions as (

    select * from {{ ref('int_student_versions') }}

),

memberships as (

    select * from {{ ref('int_identity_memberships') }}

),

clients as (

    select * from {{ ref('int_identity_review_clients') }}
    where decision = 'review'

),

services as (

    select * from {{ ref('int_newest_services') }}

),

newest_versions as (

    select distinct on (persons.student_key)
        persons.student_key,
        persons.person_id,
        student_versions.street,
        student_versions.zip,
        concat_ws(' ', student_versions.first_name, student_versions.last_name)
        || coalesce(' (' || student_versions.birth_date || ')', '') as name
    from persons
    inner join student_versions using (district_id, district_student_id)
    order by
        persons.student_key,
        student_versions.last_as_of_date desc,
        student_versions.first_as_of_date desc,
        name

),

neighbors as (

    select
        queued.student_key,
        others.student_key as neighbor_key,
        others.name,
        row_number() over (
            partition by queued.student_key order by others.name, others.student_key
        ) as position
    from newest_versions as queued
    inner join newest_versions as others
        on
            queued.street = others.street
            and queued.zip = others.zip
            and queued.person_id <> others.person_id
    where queued.student_key in (select review_queue.student_key from review_queue)

),

-- A few names are enough: hundreds of students can have the address of a shelter.
households as (

    select
        student_key,
        string_agg(name, ', ' order by position) as names,
        string_agg(neighbor_key, chr(10) order by position) as student_keys
    from neighbors
    where position <= 6
    group by student_key

),

runners_up as (

    select distinct on (person_id) *
    from newest_versions
    order by person_id, student_key

),

days_listed as (

    select
        memberships.student_key,
        string_agg(
            lower(days.listed) || ' to ' || upper(days.listed) - 1,
            ', ' order by days.listed
        ) as days
    from memberships
    cross join lateral unnest(memberships.listed_days) as days (listed)
    group by memberships.student_key

),

periods_served as (

    select
        clients.client_person_id,
        services.source_id,
        min(services.started_on) as first_day,
        case
            when bool_and(services.ended_on is not null) then max(services.ended_on)
        end as last_day
    from services
    inner join clients using (record_id)
    group by clients.client_person_id, services.source_id

),

days_served as (

    select
        client_person_id,
        string_agg(
            source_id || ' ' || first_day || ' to '
            || coalesce(cast(last_day as text), 'now'),
            ', ' order by source_id
        ) as days
    from periods_served
    group by client_person_id

),

match_review_details as (

    select
        review_queue.student_key,
        review_queue.other_record_type,
        review_queue.other_record_key,
        review_queue.person_id,
        review_queue.other_record_count,
        review_queue.match_weight,
        review_queue.match_probability,
        review_queue.reason,
        review_queue.evidence,
        runners_up.name as runner_up,
        review_queue.runner_up_weight,
        households.names as household,
        concat_ws(chr(10), households.student_keys, runners_up.student_key)
            as also_shown,
        days_listed.days as student_listed_on,
        other_days_listed.days as other_listed_on,
        days_served.days as other_served_on
    from review_queue
    left join households using (student_key)
    left join days_listed using (student_key)
    left join runners_up
        on review_queue.runner_up_person_id = runners_up.person_id
    left join days_listed as other_days_listed
        on
            review_queue.other_record_type = 'student'
            and review_queue.other_record_key = other_days_listed.student_key
    left join clients
        on
            review_queue.other_record_type = 'client'
            and review_queue.other_record_key = clients.record_id
    left join days_served on clients.client_person_id = days_served.client_person_id

)

select * from match_review_details

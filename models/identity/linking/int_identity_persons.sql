with recursive

student_versions as (

    select * from {{ ref('int_student_versions') }}

),

decisions as (

    select * from {{ ref('int_identity_student_decisions') }}

),

memberships as (

    select * from {{ ref('int_identity_memberships') }}

),

students as (

    select
        {{ student_key('student_versions') }} as student_key,
        district_id,
        district_student_id,
        min(first_as_of_date) as first_as_of_date
    from student_versions
    group by district_id, district_student_id

),

-- Reviewers may have decided about students who are no longer delivered.
links as (

    select
        sides.student_key,
        sides.linked_key,
        decisions.decided_by = 'reviewer' as is_reviewed
    from decisions
    cross join
        lateral (
            values
            (decisions.student_key, decisions.other_student_key),
            (decisions.other_student_key, decisions.student_key)
        ) as sides (student_key, linked_key)
    inner join students on sides.linked_key = students.student_key
    where decisions.decision = 'link'

),

-- Students whom a chain of links connects, and whether reviewers made all its links.
connected (student_key, linked_key, is_reviewed) as (

    select
        student_key,
        student_key as linked_key,
        true as is_reviewed
    from students

    union

    select
        connected.student_key,
        links.linked_key,
        connected.is_reviewed and links.is_reviewed
    from connected
    inner join links on connected.linked_key = links.student_key

),

clusters as (

    select
        student_key,
        min(linked_key) as cluster_key,
        min(linked_key) filter (where is_reviewed) as reviewed_cluster_key
    from connected
    group by student_key

),

-- Clusters with two students whom a district lists on the same day, or whom a reviewer
-- refused to link.
contradicted as (

    select distinct clusters.cluster_key
    from clusters
    inner join clusters as others
        on
            clusters.cluster_key = others.cluster_key
            and clusters.reviewed_cluster_key <> others.reviewed_cluster_key
    left join memberships on clusters.student_key = memberships.student_key
    left join memberships as other_memberships
        on
            others.student_key = other_memberships.student_key
            and memberships.district_id = other_memberships.district_id
            and memberships.listed_days && other_memberships.listed_days
    left join decisions
        on
            clusters.student_key = decisions.student_key
            and others.student_key = decisions.other_student_key
            and decisions.decision = 'none'
            and decisions.decided_by = 'reviewer'
    where
        other_memberships.student_key is not null
        or decisions.student_key is not null

),

-- It is unknown which link of a contradicted cluster is wrong, so only reviewers' links
-- stay. The student delivered first names the person, so that ids do not depend on when
-- deliveries land, and a merge keeps the oldest id.
persons as (

    select
        students.*,
        clusters.reviewed_cluster_key,
        contradicted.cluster_key is not null as is_contradicted,
        first_value(students.student_key) over earliest as first_student_key,
        'P' || upper(
            left(md5('student|' || first_value(students.student_key) over earliest), 15)
        ) as person_id
    from students
    inner join clusters on students.student_key = clusters.student_key
    left join contradicted on clusters.cluster_key = contradicted.cluster_key
    window earliest as (
        partition by
            case
                when contradicted.cluster_key is null then clusters.cluster_key
                else clusters.reviewed_cluster_key
            end
        order by students.first_as_of_date, students.student_key
    )

)

select * from persons

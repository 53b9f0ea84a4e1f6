with recursive

student_versions as (

    select * from {{ ref('stg_student_versions') }}

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
    -- A decision may outlive the records that it was about.
    inner join students on sides.linked_key = students.student_key
    where decisions.decision = 'link'

),

-- Everybody whom links tie to a student, and whom reviewers' links alone do. A person
-- has a handful of student records at most, so following the links is cheap.
tied (student_key, tied_key, is_reviewed) as (

    select
        students.student_key,
        students.student_key as tied_key,
        kinds.is_reviewed
    from students
    cross join (values (false), (true)) as kinds (is_reviewed)

    union

    select
        tied.student_key,
        links.linked_key as tied_key,
        tied.is_reviewed
    from tied
    inner join links
        on
            tied.tied_key = links.student_key
            and (links.is_reviewed or not tied.is_reviewed)

),

clusters as (

    select
        student_key,
        min(tied_key) as cluster_key,
        min(tied_key) filter (where is_reviewed) as reviewed_with_key
    from tied
    group by student_key

),

-- A chain of links may still tie two students together whom a district lists side by
-- side, or whom a reviewer knows to be two.
contradicted as (

    select distinct clusters.cluster_key
    from clusters
    inner join clusters as others
        on
            clusters.cluster_key = others.cluster_key
            and clusters.reviewed_with_key <> others.reviewed_with_key
    left join memberships on clusters.student_key = memberships.student_key
    left join memberships as other_memberships
        on
            others.student_key = other_memberships.student_key
            and memberships.district_id = other_memberships.district_id
            and memberships.first_date <= other_memberships.last_date
            and memberships.last_date >= other_memberships.first_date
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

-- Nobody can tell which link of such a chain is wrong, so all of it falls apart but for
-- what reviewers linked. The record that was delivered first names the person: the
-- oldest lives on in a merge, and the order in which deliveries land does not matter.
persons as (

    select
        students.*,
        clusters.reviewed_with_key,
        contradicted.cluster_key is not null as is_contradicted,
        first_value(students.student_key) over by_age as eldest_student_key,
        'P' || upper(
            left(md5('student|' || first_value(students.student_key) over by_age), 15)
        ) as person_id
    from students
    inner join clusters on students.student_key = clusters.student_key
    left join contradicted on clusters.cluster_key = contradicted.cluster_key
    window by_age as (
        partition by
            case
                when contradicted.cluster_key is null then clusters.cluster_key
                else clusters.reviewed_with_key
            end
        order by students.first_as_of_date, students.student_key
    )

)

select * from persons

{{ config(tags='incremental_linking', pre_hook=begin_linking_pass()) }}
{% set known = linking_state('int_identity_persons') %}

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

known as (

    {% if known %}
    select
        student_key,
        person_id
    from {{ known }}
    {% else %}
    select
        cast(null as text) as student_key,
        cast(null as text) as person_id
    where false
    {% endif %}

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

-- A decision may outlive the records that it was about.
links as (

    select
        decisions.student_key,
        decisions.other_student_key,
        decisions.decided_by
    from decisions
    inner join students on decisions.student_key = students.student_key
    inner join students as others on decisions.other_student_key = others.student_key
    where decisions.decision = 'link'

    union all

    select
        decisions.other_student_key as student_key,
        decisions.student_key as other_student_key,
        decisions.decided_by
    from decisions
    inner join students on decisions.student_key = students.student_key
    inner join students as others on decisions.other_student_key = others.student_key
    where decisions.decision = 'link'

),

-- What reviewers' links tie together stays together, whatever speaks against it.
reviewed_relatives (student_key, relative_key) as (

    select
        student_key,
        student_key as relative_key
    from students

    union

    select
        reviewed_relatives.student_key,
        links.other_student_key as relative_key
    from reviewed_relatives
    inner join links on reviewed_relatives.relative_key = links.student_key
    where links.decided_by = 'reviewer'

),

reviewed as (

    select
        student_key,
        min(relative_key) as reviewed_with_key
    from reviewed_relatives
    group by student_key

),

-- A person has a handful of student records at most, so walking the links is cheap.
relatives (student_key, relative_key) as (

    select
        student_key,
        other_student_key as relative_key
    from links

    union

    select
        relatives.student_key,
        links.other_student_key as relative_key
    from relatives
    inner join links on relatives.relative_key = links.student_key

),

-- A chain of links may still tie two students together whom a district lists side by
-- side, or whom a reviewer knows to be two.
apart as (

    select
        relatives.student_key,
        relatives.relative_key
    from relatives
    inner join memberships on relatives.student_key = memberships.student_key
    inner join memberships as others
        on
            relatives.relative_key = others.student_key
            and relatives.student_key <> others.student_key
            and memberships.district_id = others.district_id
            and memberships.first_date <= others.last_date
            and memberships.last_date >= others.first_date

    union

    select
        student_key,
        other_student_key as relative_key
    from decisions
    where decision = 'none' and decided_by = 'reviewer'

    union

    select
        other_student_key as student_key,
        student_key as relative_key
    from decisions
    where decision = 'none' and decided_by = 'reviewer'

),

contradicted as (

    select distinct relatives.student_key
    from relatives
    inner join apart
        on
            relatives.student_key = apart.student_key
            and relatives.relative_key = apart.relative_key
    inner join reviewed on relatives.student_key = reviewed.student_key
    inner join reviewed as others on relatives.relative_key = others.student_key
    where reviewed.reviewed_with_key <> others.reviewed_with_key

),

-- Nobody can tell which link of such a chain is wrong, so all of it falls apart
-- but for what reviewers linked.
falling_apart as (

    select distinct relatives.student_key
    from relatives
    inner join contradicted on relatives.relative_key = contradicted.student_key

),

members as (

    select
        student_key,
        relative_key as member_key
    from reviewed_relatives

    union

    select
        relatives.student_key,
        relatives.relative_key as member_key
    from relatives
    left join falling_apart on relatives.student_key = falling_apart.student_key
    where falling_apart.student_key is null

),

-- The record that was delivered first names the person: the oldest lives on in a merge
-- and the same deliveries give the same ids whatever the order in which they landed.
eldest as (

    select distinct on (members.student_key)
        members.student_key,
        members.member_key as eldest_student_key
    from members
    inner join students on members.member_key = students.student_key
    order by members.student_key, students.first_as_of_date, members.member_key

),

persons as (

    select
        students.student_key,
        students.district_id,
        students.district_student_id,
        students.first_as_of_date,
        eldest.eldest_student_key,
        'P'
        || upper(left(md5('student|' || eldest.eldest_student_key), 15)) as person_id,
        reviewed.reviewed_with_key,
        falling_apart.student_key is not null as is_contradicted,
        known.person_id as last_person_id
    from students
    inner join eldest on students.student_key = eldest.student_key
    inner join reviewed on students.student_key = reviewed.student_key
    left join falling_apart on students.student_key = falling_apart.student_key
    left join known on students.student_key = known.student_key

)

select * from persons

with

pairs as (

    select * from {{ ref('int_identity_pairs') }}

),

identities as (

    select * from {{ ref('int_identities') }}

),

first_name_nicknames as (

    select * from {{ ref('first_name_nicknames') }}

),

-- Two first names belong together when one is a nickname of the other, or both of a third.
same_name as (

    select
        first_name,
        nickname as other_name
    from first_name_nicknames

    union

    select
        nickname as first_name,
        first_name as other_name
    from first_name_nicknames

    union

    select
        ones.nickname as first_name,
        others.nickname as other_name
    from first_name_nicknames as ones
    inner join first_name_nicknames as others on ones.first_name = others.first_name

),

both_sides as (

    select
        pairs.student_identity_id,
        pairs.other_identity_id,
        pairs.pair_type,
        pairs.student_key,
        pairs.other_student_key,
        students.last_name,
        others.last_name as other_last_name,
        students.last_name_tokens,
        others.last_name_tokens as other_last_name_tokens,
        students.first_name,
        others.first_name as other_first_name,
        students.middle_name,
        others.middle_name as other_middle_name,
        students.suffix,
        others.suffix as other_suffix,
        students.birth_date,
        others.birth_date as other_birth_date,
        students.gender,
        others.gender as other_gender,
        students.ssn,
        others.ssn as other_ssn,
        students.street,
        others.street as other_street,
        students.zip,
        others.zip as other_zip,
        students.state_student_id,
        others.state_student_id as other_state_student_id,
        students.first_name <> others.first_name
        and students.first_name <> students.last_name
        and {{ function('is_near_text') }}(students.first_name, others.last_name)
        and {{ function('is_near_text') }}(students.last_name, others.first_name)
            as is_swapped,
        same_name.first_name is not null as is_nickname
    from pairs
    inner join identities as students
        on pairs.student_identity_id = students.identity_id
    inner join identities as others
        on pairs.other_identity_id = others.identity_id
    left join same_name
        on
            students.first_name = same_name.first_name
            and others.first_name = same_name.other_name

),

comparisons as (

    select
        student_identity_id,
        other_identity_id,
        pair_type,
        student_key,
        other_student_key,

        ---------- levels: null where a side does not say
        case
            when last_name is null or other_last_name is null then null
            when last_name = other_last_name then 'exact'
            when is_swapped then 'swapped'
            when last_name_tokens && other_last_name_tokens then 'compound'
            when
                least(length(last_name), length(other_last_name)) > 2
                and {{ function('is_near_text') }}(last_name, other_last_name)
                then 'near'
            when dmetaphone(last_name) = dmetaphone(other_last_name) then 'sound'
            else 'different'
        end as last_name,
        case
            when first_name is null or other_first_name is null then null
            when first_name = other_first_name then 'exact'
            when is_swapped then 'swapped'
            when is_nickname then 'nickname'
            when
                (length(middle_name) > 1 and middle_name = other_first_name)
                or (length(other_middle_name) > 1 and other_middle_name = first_name)
                then 'middle'
            -- Twins' names often rhyme: a first letter that differs is no slip of the pen.
            when
                left(first_name, 1) = left(other_first_name, 1)
                and least(length(first_name), length(other_first_name)) > 2
                and {{ function('is_near_text') }}(first_name, other_first_name)
                then 'near'
            when
                starts_with(first_name, other_first_name)
                or starts_with(other_first_name, first_name)
                then 'initial'
            when
                left(first_name, 1) = left(other_first_name, 1)
                and dmetaphone(first_name) = dmetaphone(other_first_name)
                then 'sound'
            else 'different'
        end as first_name,
        case
            when middle_name is null or other_middle_name is null then null
            when middle_name = other_middle_name and length(middle_name) > 1 then 'exact'
            when
                left(middle_name, 1) = left(other_middle_name, 1)
                and 1 in (length(middle_name), length(other_middle_name))
                then 'initial'
            -- The names changed places; the first name's level has counted that.
            when middle_name = other_first_name or other_middle_name = first_name then null
            when {{ function('is_near_text') }}(middle_name, other_middle_name) then 'initial'
            else 'different'
        end as middle_name,
        case
            when suffix is null and other_suffix is null then null
            when suffix is null or other_suffix is null then 'one'
            when suffix = other_suffix then 'same'
            else 'different'
        end as suffix,
        case
            when birth_date is null or other_birth_date is null then null
            when birth_date = other_birth_date then 'exact'
            when to_char(birth_date, 'YYYYMMDD') = to_char(other_birth_date, 'YYYYDDMM')
                then 'swapped'
            when
                date_trunc('year', birth_date) = date_trunc('year', other_birth_date)
                and '0101' in (to_char(birth_date, 'MMDD'), to_char(other_birth_date, 'MMDD'))
                then 'year'
            when
                (
                    to_char(birth_date, 'MMDD') = to_char(other_birth_date, 'MMDD')
                    and {{ function('is_near_text') }}(
                        to_char(birth_date, 'YYYY'), to_char(other_birth_date, 'YYYY')
                    )
                )
                or to_char(birth_date, 'YYYYMM') = to_char(other_birth_date, 'YYYYMM')
                or to_char(birth_date, 'YYYYDD') = to_char(other_birth_date, 'YYYYDD')
                then 'near'
            else 'different'
        end as birth_date,
        case
            when gender is null or other_gender is null then null
            when gender = other_gender then 'same'
            else 'different'
        end as gender,
        case
            when ssn is null or other_ssn is null then null
            when ssn = other_ssn then 'exact'
            when {{ function('is_near_text') }}(ssn, other_ssn) then 'near'
            else 'different'
        end as ssn,
        case
            when street = other_street and zip = other_zip then 'exact'
            when street = other_street then 'street'
            when zip is null or other_zip is null then null
            when zip = other_zip then 'zip'
            else 'different'
        end as address,
        case
            when state_student_id is null or other_state_student_id is null then null
            when state_student_id = other_state_student_id then 'same'
            else 'different'
        end as state_id,

        ---------- what the term-frequency adjustment looks up
        case when last_name = other_last_name then last_name end as shared_last_name,
        case when first_name = other_first_name then first_name end as shared_first_name
    from both_sides

)

select * from comparisons

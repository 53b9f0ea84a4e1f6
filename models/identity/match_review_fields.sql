with

pairs as (

    select * from {{ ref('match_review_details') }}

),

student_versions as (

    select * from {{ ref('int_student_versions') }}

),

review_clients as (

    select * from {{ ref('int_identity_review_clients') }}

),

queued_students as (

    select student_key from pairs
    union
    select other_record_key as student_key from pairs
    where other_record_type = 'student'

),

-- All versions of a student and all records of a client are shown together, and so are
-- all records that are already linked to a person.
records as (

    select
        'student' as record_type,
        queued_students.student_key as shown_for,
        student_versions.last_as_of_date,
        student_versions.last_name,
        student_versions.first_name,
        student_versions.middle_name,
        student_versions.suffix,
        student_versions.birth_date,
        student_versions.gender,
        student_versions.ssn,
        student_versions.street,
        student_versions.city,
        student_versions.zip
    from student_versions
    inner join queued_students
        on {{ student_key('student_versions') }} = queued_students.student_key

    union all

    select
        case decision when 'link' then 'linked' else 'client' end as record_type,
        case decision when 'link' then person_id else cast(client_person_id as text) end
            as shown_for,
        null as last_as_of_date,
        last_name,
        first_name,
        middle_name,
        suffix,
        birth_date,
        gender,
        ssn,
        street,
        city,
        zip
    from review_clients

),

-- Four digits of a social security number are enough to compare by eye.
spellings as (

    select
        records.record_type,
        records.shown_for,
        fields.position,
        fields.field,
        fields.text,
        max(records.last_as_of_date) as last_as_of_date
    from records
    cross join
        lateral (
            values
            (1, 'last_name', records.last_name),
            (2, 'first_name', records.first_name),
            (3, 'middle_name', records.middle_name),
            (4, 'suffix', records.suffix),
            (5, 'birth_date', cast(records.birth_date as text)),
            (6, 'gender', records.gender),
            (7, 'ssn', '…' || right(nullif(records.ssn, ''), 4)),
            (8, 'street', records.street),
            (9, 'city', records.city),
            (10, 'zip', records.zip)
        ) as fields (position, field, text)
    group by
        records.record_type,
        records.shown_for,
        fields.position,
        fields.field,
        fields.text

),

texts as (

    select
        record_type,
        shown_for,
        position,
        field,
        coalesce(
            string_agg(text, ' / ' order by last_as_of_date desc, text) filter (
                where text <> ''
            ),
            ''
        ) as text
    from spellings
    group by record_type, shown_for, position, field

),

-- The sides of a pair in rows, so that one join looks their texts up.
sides as (

    select
        pairs.student_key,
        pairs.other_record_type,
        pairs.other_record_key,
        sides.side,
        sides.record_type,
        sides.shown_for
    from pairs
    left join review_clients
        on
            pairs.other_record_type = 'client'
            and pairs.other_record_key = review_clients.record_id
    cross join
        lateral (
            values
            ('student', 'student', pairs.student_key),
            (
                'other',
                pairs.other_record_type,
                coalesce(
                    cast(review_clients.client_person_id as text),
                    pairs.other_record_key
                )
            ),
            (
                'linked',
                case pairs.other_record_type when 'client' then 'linked' end,
                pairs.person_id
            )
        ) as sides (side, record_type, shown_for)

),

-- A pair of which one side is no longer delivered has nothing to compare.
match_review_fields as (

    select
        sides.student_key,
        sides.other_record_type,
        sides.other_record_key,
        texts.position,
        texts.field,
        max(texts.text) filter (where sides.side = 'student') as student,
        max(texts.text) filter (where sides.side = 'other') as other,
        max(texts.text) filter (where sides.side = 'linked') as linked
    from sides
    inner join texts using (record_type, shown_for)
    group by
        sides.student_key,
        sides.other_record_type,
        sides.other_record_key,
        texts.position,
        texts.field
    having count(*) filter (where sides.side <> 'linked') = 2

)

select * from match_review_fields

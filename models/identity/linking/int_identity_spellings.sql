{{ config(tags='incremental_linking') }}

with

new_tuples as not materialized (

    select * from {{ ref('int_identity_new_tuples') }}

),

written as (

    select distinct last_name as spelling from new_tuples
    union
    select distinct first_name as spelling from new_tuples
    union
    select distinct middle_name as spelling from new_tuples
    union
    select distinct suffix as spelling from new_tuples

),

normalized as (

    select
        spelling,
        {{ function('normalized_name') }}(spelling) as words
    from written
    where spelling is not null

),

-- The suffix has a column of its own, but many write it behind a name; a middle name
-- may be nothing else.
stripped as (

    select
        spelling,
        {{ function('without_suffix') }}(words) as name,
        {{ function('without_suffix') }}(' ' || words) as middle_name,
        {{ function('name_suffix') }}(words) as suffix_behind,
        {{ function('name_suffix') }}(' ' || words) as suffix_alone
    from normalized

),

spellings as (

    select
        spelling,
        replace(name, ' ', '') as name,
        nullif(dmetaphone(replace(name, ' ', '')), '') as name_sound,
        case
            when name is not null
                then
                    array(
                        select distinct words.word
                        from unnest(string_to_array(name, ' ')) as words (word)
                    )
        end as name_tokens,
        nullif(replace(middle_name, ' ', ''), '') as middle_name,
        suffix_behind,
        suffix_alone
    from stripped

)

select * from spellings

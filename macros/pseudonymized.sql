{#
    A copy of a mart with pseudonyms in place of student_key and person_id, and the year
    of the birth date. The columns are those in the model's YAML, so the YAML decides what
    analysts see. `expressions` replaces single columns.
#}
{% macro pseudonymized(mart, expressions={}) -%}
with

facts as (

    select * from {{ mart }}

),

pseudonyms as (

    select * from {{ ref('pseudonyms') }}

),

birth_dates as (

    select * from {{ ref('dim_students') }}

),

pseudonymized as (

    select
        {% for column in model.columns -%}
        {% if column == 'student_key' -%}
        students.pseudonym as student_key
        {%- elif column == 'person_id' -%}
        persons.pseudonym as person_id
        {%- elif column == 'birth_year' -%}
        cast(extract(year from birth_dates.birth_date) as smallint) as birth_year
        {%- elif column in expressions -%}
        {{ expressions[column] }} as {{ column }}
        {%- else -%}
        facts.{{ column }}
        {%- endif %}{{ ',' if not loop.last }}
        {% endfor -%}
    from facts
    inner join pseudonyms as persons
        on facts.person_id = persons.key
    {% if 'student_key' in model.columns -%}
    -- A person who is in no district in the year has no student key.
    left join pseudonyms as students
        on facts.student_key = students.key
    {%- endif %}
    {% if 'birth_year' in model.columns -%}
    left join birth_dates on facts.student_key = birth_dates.student_key
    {%- endif %}

)

select * from pseudonymized
{%- endmacro %}
